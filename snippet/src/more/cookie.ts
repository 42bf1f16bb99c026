// A site whose hosts share what is known of a browser (`data-cookie="shop.example"`; empty: this host alone). The core has an
// entry of `localStorage`, which only this origin sees; here it goes to a cookie and comes from it, in mode full.
import { queue } from "../stub";
import type { Core } from "./core";
import { guarded } from "./guard";
import { modeAtFirst, modeOf } from "./wanted";

const NAME = "expost";
const MAX_AGE_S = 34_000_000; // thirteen months
const MAX_LENGTH = 3_800; // of 4,096 that a cookie may have, its name and attributes among them
const EVERY_MS = 5_000;

interface Entry {
  seen: number;
  told: string[];
}

const seenOf = (text: string | null): number => {
  try {
    return (JSON.parse(text!) as Entry).seen || 0;
  } catch {
    return 0; // there is none, or it is not ours
  }
};

// As much of it as a cookie holds: of many exposures the latest.
const fitting = (text: string): string => {
  const entry = JSON.parse(text) as Entry;
  let written;
  do written = encodeURIComponent(JSON.stringify(entry));
  while (written.length > MAX_LENGTH && entry.told.shift());
  return written;
};

// Says what is to be done once the core has begun.
export const shareCookie = ({ tag, isFull }: Core): (() => void) => {
  const { cookie: domain } = tag;
  if (domain === undefined) return () => {};

  const cookie = (): string => /(?:^|; )expost=([^;]*)/.exec(document.cookie)?.[1] ?? "";
  const bake = (text: string, seconds: number): void => {
    const place = domain && `;domain=${domain}`;
    document.cookie = `${NAME}=${text};max-age=${seconds};path=/;samesite=lax${place}${isSecureContext ? ";secure" : ""}`;
  };
  // The later of the two is right: another host may have written the cookie meanwhile.
  const pull = (): void => {
    const text = decodeURIComponent(cookie());
    if (seenOf(text) > seenOf(localStorage.getItem(NAME))) localStorage.setItem(NAME, text);
  };
  const share = guarded((): void => {
    if (!isFull()) return;
    // What another page of this origin deleted has no cookie either: one may have been written before that was seen here.
    if (!localStorage.getItem(NAME)) return bake("", 0);
    pull();
    const text = fitting(localStorage.getItem(NAME)!);
    if (text !== cookie()) bake(text, MAX_AGE_S);
  });

  const first = modeAtFirst(tag);
  guarded(() => first === "full" && pull())();
  return () => {
    if (isFull()) share();
    else if (first !== "cookieless") bake("", 0);
    setInterval(share, EVERY_MS);
    for (const type of ["visibilitychange", "pagehide"]) addEventListener(type, share, true);
    const q = queue();
    const { push } = q;
    q.push = (entry) => {
      const [, [name, said]] = entry;
      const mode = name === "consent" && modeOf(tag, said);
      const was = isFull();
      if (mode === "full") guarded(pull)();
      const length = push.call(q, entry);
      if (mode === "off" || (was && !isFull())) bake("", 0);
      else if (name !== "track") share();
      return length;
    };
  };
};
