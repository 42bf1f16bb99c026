// In mode full, what nobody has answered for outlives its page: in the browser's storage, a batch an entry, until a page
// that comes later has had an answer for it. Two days or 256 kB, then the oldest are given up.
import { now } from "./clock";
import { NAME, isFull } from "./consent";
import { guarded } from "./guard";
import { uuid7 } from "./id";
import { key } from "./tag";

const MAX_AGE = 48 * 3_600_000;
const MAX_LENGTH = 256_000;
const PREFIX = NAME + ":" + key + ":";

// Ids of what is kept, the newest first: an id begins with its time.
export const kept = (): string[] => {
  if (!isFull()) return [];
  const oldest = PREFIX + uuid7(now() - MAX_AGE, 0, "0000");
  let length = 0;
  return Object.keys(localStorage)
    .filter((name) => name.startsWith(PREFIX))
    .sort()
    .reverse()
    .filter((name) => {
      if (name > oldest && (length += localStorage[name].length) < MAX_LENGTH) return true;
      localStorage.removeItem(name);
      return false;
    })
    .map((name) => name.slice(PREFIX.length));
};

export const recall = (id: string): string | undefined => (isFull() ? localStorage[PREFIX + id] : undefined);

export const keep = guarded((id: string, batch: string) => {
  if (!isFull()) return;
  localStorage[PREFIX + id] = batch;
  kept();
});

export const forget = guarded((id: string) => {
  if (isFull()) localStorage.removeItem(PREFIX + id);
});
