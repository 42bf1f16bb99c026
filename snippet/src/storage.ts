// What the browser remembers for us, in mode full only: who it is, how many pages and sessions it has seen, and which
// exposures this session has told. One entry of localStorage, read again whenever it is used: other tabs write it too.
import { now } from "./clock";
import { randomHalf, uuid7 } from "./id";

const NAME = "expost";
const IDLE = 30 * 60_000; // a session ends after half an hour without an event

export interface Browser {
  device: string;
  pages: number;
  session: number;
  seen: number; // when the last event was, in milliseconds since 1970
  user?: string | undefined;
  exposures: string[];
}

const fresh = (): Browser => ({ device: uuid7(now(), 0, randomHalf()), pages: 0, session: 0, seen: 0, exposures: [] });

// Changes what is remembered. Where nothing can be stored there is no device: the server makes a daily one.
export const remember = (change: (browser: Browser) => void): Browser | undefined => {
  try {
    const browser: Browser = JSON.parse(localStorage.getItem(NAME)!) ?? fresh();
    if (now() - browser.seen > IDLE) {
      browser.session++;
      browser.exposures = [];
    }
    browser.seen = now();
    change(browser);
    localStorage.setItem(NAME, JSON.stringify(browser));
    return browser;
  } catch {
    return undefined;
  }
};

export const forget = (): void => {
  try {
    localStorage.removeItem(NAME);
  } catch {
    // Storage is closed to us, so there is nothing of ours in it.
  }
};

// A new device with the page count of this browser.
export const renew = (browser: Browser): void => {
  Object.assign(browser, fresh(), { pages: browser.pages, session: browser.session, seen: browser.seen });
  delete browser.user;
};
