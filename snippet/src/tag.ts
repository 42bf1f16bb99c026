// The tag that brought us here. It is known only while this file runs for the first time.
const tag = document.currentScript as HTMLScriptElement;

export const {
  key,
  consent = "cookieless",
  release,
  environment,
  text = "labels", // or "all"; anything else is taken for "listed"
  attributes = "default", // anything else is taken for "listed"
  clear = "",
  doNotTrack,
} = tag.dataset;

// Events go to where the script came from.
export const collector = new URL("/e?k=" + key, tag.src).href;
