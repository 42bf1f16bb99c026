// What the visitor allows: `off` sends nothing and deletes what we stored, `cookieless` sends but neither reads nor writes
// the browser's storage, `full` knows the browser again.
import { type Browser, forget, remember, renew } from "./storage";

declare global {
  interface Navigator {
    readonly globalPrivacyControl?: boolean;
  }
}

let mode = "";
let resets = 0;
let ordinal = 0;
let user: string | undefined;
let told: string[] = []; // exposures, where nothing may be stored

const isRefused = navigator.globalPrivacyControl || navigator.doNotTrack === "1";

export const isOff = (): boolean => mode === "off";

// A mode we do not know is taken for a refusal.
export const enter = (wanted: string): void => {
  const before = mode;
  mode = !isRefused && /^(full|cookieless)$/.test(wanted) ? wanted : "off";
  if (mode === before) return;
  user = undefined;
  told = [];
  if (isOff() || before === "full") forget();
  change((browser) => {
    ordinal ||= ++browser.pages;
    user = browser.user;
  });
};

const change = (work: (browser: Browser) => void): Browser | undefined => (mode === "full" ? remember(work) : undefined);

// Another person at this browser has been shown nothing yet. The first to be named is who was here before the name.
export const setUser = (id: string): void => {
  const isOther = user && user !== id;
  user = id;
  if (isOther) told = [];
  change((browser) => {
    browser.user = id;
    if (isOther) browser.exposures = [];
  });
};

export const reset = (): void => {
  user = undefined;
  told = [];
  if (!change(renew)) resets++;
};

// Whether this is the first time that this session tells of this exposure. In mode cookieless a page is all we know.
export const isFirst = (...exposure: unknown[]): boolean => {
  const key = JSON.stringify(exposure);
  const add = (keys: string[]): boolean => !keys.includes(key) && keys.push(key) > 0;
  let isNew = add(told);
  change(({ exposures }) => {
    isNew = add(exposures);
  });
  return isNew;
};

// Who and how, as every batch says it.
export const envelope = (): Record<string, unknown> => {
  const browser = change(() => {});
  return { ordinal: ordinal || undefined, device: browser?.device, session: browser?.session, consent: mode, resets: resets || undefined };
};
