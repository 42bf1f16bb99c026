// The second file: what only some sites ask for (`data-also`). It comes when the collector has answered. Where the device may
// be known from elsewhere, from a cookie or from another domain of the site, the page begins when it is there.
import { isFull, remember } from "./consent";
import { guarded } from "./guard";
import { captureAction } from "./listeners";
import { hosts } from "./native";
import { capture, flush, sendOff, waiting } from "./page";
import { also, beside, cookie, dataset, domains } from "./tag";
import { leaving } from "./visit";

declare const MORE: string; // its name, which is that of this version

// In a list, because the two files are built apart and names are short in each.
const core = () => [dataset, capture, captureAction, waiting, flush, sendOff, leaving, remember, isFull, hosts, guarded] as const;
export type Core = ReturnType<typeof core>;

export const isWaitedFor = (cookie ?? domains) != null;
let isWanted: unknown = also ?? isWaitedFor;

// A script element would need the page's leave (Trusted Types), and would not have our nonce.
export const loadMore = async (): Promise<void> => {
  if (!isWanted) return;
  isWanted = 0;
  try {
    (await import(beside(MORE))).extend(core());
  } catch {
    // A page goes on without it.
  }
};
