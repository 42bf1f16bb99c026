// The tag that brought us here. It is known only while this file runs for the first time.
const tag = document.currentScript as HTMLScriptElement;
// A picture of this name would be taken for it.
export const isTag = tag.text != null;

export const { dataset, src } = tag;

export const {
  key,
  consent = "cookieless",
  consentVersion, // of the site's text
  cookie, // domain of the one in which the second file keeps what we know
  domains, // of the site, beside this one
  release,
  environment,
  text = "labels", // or "all"; anything else is taken for "listed"
  attributes = "default", // anything else is taken for "listed"
  clear = "",
  also, // what the second file is to do
} = dataset;

// A word we do not know is taken for the narrowest.
export const isListedOnly = !/^(all|labels)$/.test(text);

// Events go to where the script came from.
export const beside = (name: string): string => src.split("?")[0]!.replace(/[^/]*$/, name);
export const collector = beside("e?k=" + key);
