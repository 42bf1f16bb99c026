// What the visitor allows, and what is therefore known of this browser. `off` sends nothing and deletes what we stored;
// `cookieless` sends, but neither reads nor writes the browser's storage; `full` knows the browser again.
import { now } from "./clock";
import { guarded } from "./guard";
import { randomHalf, uuid7 } from "./id";
import { doNotTrack } from "./tag";

export const NAME = "expost"; // our entry of localStorage; those of kept.ts begin with it and a colon
const IDLE = 30 * 60_000; // a session ends after half an hour without an event

interface Browser {
  device: string;
  pages: number; // how many it has seen
  session: number;
  seen: number; // when the last event was, in milliseconds since 1970
  user?: string;
  told: string[]; // exposures of this session
}

const fresh = (): Browser => ({ device: uuid7(now(), 0, randomHalf()), pages: 0, session: 0, seen: 0, told: [] });

let mode = "";
let browser: Browser;
export let ordinal = 0; // of this page
let resets = 0;

const isRefused =
  doNotTrack !== "ignore" && ((navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl || navigator.doNotTrack === "1");

export const isOff = (): boolean => mode === "off";
export const isFull = (): boolean => mode === "full";

// A mode we do not know is taken for a refusal.
export const enter = (wanted: string | undefined): void => {
  const before = mode;
  mode = !isRefused && /^(full|cookieless)$/.test(wanted!) ? wanted! : "off";
  if (mode === before) return;
  if (isOff() || before === "full") forgetAll();
  browser = fresh();
  remember((browser) => {
    if (isFull()) ordinal ||= ++browser.pages;
  });
};

const forgetAll = guarded(() => {
  for (const name of Object.keys(localStorage)) if (name.split(":")[0] === NAME) localStorage.removeItem(name);
});

// Other tabs write the entry too, so it is read again each time. Where storage is closed to us nothing can be known again.
const remember = (change: (browser: Browser) => void = () => {}): void => {
  try {
    if (isFull()) browser = { ...browser, ...JSON.parse(localStorage.getItem(NAME)!) };
    if (now() - browser.seen > IDLE) {
      browser.session++;
      browser.told = [];
    }
    browser.seen = now();
    change(browser);
    if (isFull()) localStorage.setItem(NAME, JSON.stringify(browser));
  } catch {
    mode = "cookieless";
  }
};

// Another person at this browser has been shown nothing yet. The first to be named is who was here before the name.
export const setUser = (id: string): void =>
  remember((browser) => {
    if (browser.user && browser.user !== id) browser.told = [];
    browser.user = id;
  });

export const reset = (): void => {
  resets++;
  remember(({ pages, session, seen }) => {
    browser = { ...fresh(), user: "", pages, session, seen };
  });
};

// Whether this session has not told of this exposure.
export const isFirst = (exposure: string): boolean => {
  let isNew = true;
  remember(({ told }) => {
    isNew = !told.includes(exposure);
    if (isNew) told.push(exposure);
  });
  return isNew;
};

// Who and how, as every batch says it.
export const envelope = (): Record<string, unknown> => {
  remember();
  const { device, session }: Partial<Browser> = isFull() ? browser : {};
  return { device, session, consent: mode, resets };
};
