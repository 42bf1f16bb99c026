// What the visitor allows, and what is therefore known of this browser. `off` sends nothing and deletes what we stored;
// `cookieless` sends, but neither reads nor writes the browser's storage; `full` knows the browser again.
import { now } from "./clock";
import { guarded } from "./guard";
import { randomHalf, uuid7 } from "./id";
import { isRefusedBy } from "./refusal";
import { consentVersion, dataset } from "./tag";

export const NAME = "expost"; // our entry of localStorage; those of kept.ts begin with it and a colon
const IDLE = 30 * 60_000; // a session ends after half an hour without an event
const DAY = 24 * 3_600_000; // or after a day
const REST = 5_000; // between two entries that only say that the visitor is still there
const PAGES = 16; // of which the last number is told

interface Browser {
  device: string;
  pages: number; // how many it has seen
  counts: Record<string, number>; // the last number of those that were left, by ordinal
  session: number;
  since: number; // when the session began, in milliseconds since 1970
  seen: number; // when the last event was, within REST
  user: string;
  told: string[]; // exposures of this session
  internal?: boolean | undefined; // somebody of the site's own
}

const stranger = () => ({ device: uuid7(now(), 0, randomHalf()), counts: {}, told: [], user: "" });
const fresh = (): Browser => ({ ...stranger(), pages: 0, session: 0, since: 0, seen: 0 });

let mode = "";
let version = consentVersion; // of the site's text that was answered
let browser: Browser;
export let ordinal = 0; // of this page
let numbered: string; // the device that drew it
let resets = 0;

const isRefused = isRefusedBy(dataset);

export const isOff = (): boolean => mode === "off";
export const isFull = (): boolean => mode === "full";

// A mode we do not know is taken for a refusal.
export const enter = (wanted: string | undefined, text = version): void => {
  const before = mode;
  version = text;
  mode = !isRefused && /^(full|cookieless)$/.test(wanted!) ? wanted! : "off";
  if (mode === before) return;
  if (isOff() || before === "full") forgetAll();
  browser = fresh();
  remember((browser) => {
    if (!isFull() || ordinal) return;
    numbered = browser.device;
    return (ordinal = ++browser.pages);
  });
};

const forgetAll = guarded(() => {
  for (const name of Object.keys(localStorage)) if (name.split(":")[0] === NAME) delete localStorage[name];
});

// What was deleted meanwhile, by another page to which the visitor said no or by the browser, is not written again. Nothing
// that is not of ours is in the way.
const recognise = (): void => {
  const text = localStorage[NAME];
  if (!text && browser.seen) mode = "cookieless";
  try {
    browser = { ...browser, ...JSON.parse(text) };
  } catch {
    // Not known yet.
  }
};

// Other tabs write the entry too, so it is read again each time; it is written when `change` says that it changed
// something. Where storage is closed to us nothing can be known again.
export const remember = (change: (browser: Browser) => unknown): void => {
  try {
    if (isFull()) recognise();
    if (now() - browser.seen > IDLE || now() - browser.since > DAY) {
      browser.session++;
      browser.since = now();
      browser.told = [];
    }
    if (!change(browser) && now() - browser.seen < REST) return;
    browser.seen = now();
    if (isFull()) localStorage[NAME] = JSON.stringify(browser);
  } catch {
    mode = "cookieless";
  }
};

// Another person at this browser has been shown nothing yet. The first to be named is who was here before the name.
export const setUser = (id: string): void =>
  remember((browser) => {
    if (browser.user === id) return;
    if (browser.user) browser.told = [];
    return (browser.user = id);
  });

export const reset = (): void => {
  resets++;
  remember(() => (browser = { ...browser, ...stranger() }));
};

// Whether this session has not told of this exposure.
export const isFirst = (exposure: string): boolean => {
  let isNew;
  remember(({ told }) => (isNew = !told.includes(exposure) && told.push(exposure)));
  return isNew!;
};

// This page is left, for good as far as anybody knows: a later page tells how many events it had. Another device, after a
// reset or a new consent, never drew its ordinal.
export const noteCount = (seq: number): void =>
  remember(({ device, counts }) => {
    if (device !== numbered) return;
    for (const page in counts) +page > ordinal - PAGES || delete counts[page];
    return (counts[ordinal] = seq);
  });

// Who and how, as every batch says it. A page that goes on has no last number yet.
export const envelope = (): Record<string, unknown> => {
  remember(({ counts }) => counts[ordinal] && delete counts[ordinal]);
  const { device, session, counts, internal } = browser;
  return { ...(isFull() && { device, session, counts }), consent: mode, consent_version: version, internal, resets };
};
