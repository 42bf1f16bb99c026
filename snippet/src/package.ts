// The npm package: the same script for bundlers, started by `init` instead of by a tag. Without a window (a page rendered
// on a server) every call does nothing.
import { currentTag } from "./injected";
import { queue } from "./stub";

export type Properties = Record<string, unknown>;
export type Consent = "off" | "cookieless" | "full";

export interface Options {
  /** The site's write key. */
  key: string;
  /** Origin of the collector, as in `https://collector.example`; the page's own if left out. */
  collector?: string;
  /** `cookieless` if left out. */
  consent?: Consent;
  /** Which version of the site's text the visitor's consent answers. */
  consentVersion?: string;
  release?: string;
  /** `production` if left out. */
  environment?: string;
  /** Which text may leave the page; `labels` if left out. */
  text?: "labels" | "all" | "listed";
  /** Of which attributes the value may; `default` if left out. */
  attributes?: "default" | "listed";
  /** Names of further attributes whose value may, separated by spaces. */
  clear?: string;
  /** What to capture besides, in words separated by spaces: features (`dead-clicks`, `frames` …) and types of event. */
  also?: string;
  /** Domains of the site beside this one, separated by spaces, to which links hand the device over. */
  domains?: string;
  /** Domain of a cookie in which all hosts of it share what is known of a browser; empty for this host alone. */
  cookie?: string;
  /** Where Expost shows its pages, if not where the script comes from; for pointing at the site. */
  ui?: string;
  /** Capture even where the browser asks not to be tracked. */
  doNotTrack?: "ignore";
}

export interface Exposure {
  flag: string;
  variation: string | number | boolean;
  flag_version?: string | number;
  rule?: string;
}

const say = (...call: unknown[]): void => {
  if (typeof window === "undefined") return;
  queue().push([performance.now(), call]);
};

/** Starts capture, once in a page; what was called before is kept. Never rejects. */
export const init = async ({ collector, ...options }: Options): Promise<void> => {
  if (typeof window === "undefined" || currentTag.src) return;
  queue();
  currentTag.src = (collector ?? location.origin).replace(/\/?$/, "/");
  currentTag.dataset = options;
  await import("./main").catch(() => {}); // no second file: it stands in this one, and runs now
};

/** An event of your own. */
export const track = (name: string, properties?: Properties): void => say("track", name, properties);
/** Who this is from now on. */
export const identify = (id: string | number, traits?: Properties): void => say("identify", id, traits);
/** And for whom. */
export const group = (type: string, id: string | number, traits?: Properties): void => say("group", type, id, traits);
/** Properties of every later event of this page. */
export const set = (properties: Properties): void => say("set", properties);
/** This person was shown this variation; told once a session, so call it at every use. */
export const exposure = (shown: Exposure): void => say("exposure", shown);
/** What the visitor allows; may change at any time. */
export const consent = (mode: Consent, version?: string): void => say("consent", mode, version);
/** Somebody of the site's own, whom numbers leave out. */
export const internal = (is = true): void => say("internal", is);
/** The next person at this browser: new device, nothing set. */
export const reset = (): void => say("reset");
