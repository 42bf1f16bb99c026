// Whether the browser asks not to be tracked, unless the site has another ground.
export const isRefusedBy = (tag: DOMStringMap): unknown =>
  tag.doNotTrack !== "ignore" && ((navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl || navigator.doNotTrack === "1");
