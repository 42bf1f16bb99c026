// The tag that brought us here. It is known only while this file runs for the first time.
const tag =
  (document.currentScript as HTMLScriptElement | null) ?? document.querySelector<HTMLScriptElement>("script[src][data-key]");
const { key = "", consent = "cookieless", release, environment } = tag?.dataset ?? {};

export { consent, environment, release };

// Events go to where the script came from.
export const collector = tag && key && new URL("/e?k=" + encodeURIComponent(key), tag.src).href;
