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

const store = (): Record<string, string> => (isFull() ? localStorage : {});

// What a batch is kept under: names sort by the time of their batches' first events.
export const nameOf = (id: string): string => PREFIX + id;

// The names of what is kept, the newest first.
export const kept = (): string[] => {
  let length = 0;
  const oldest = nameOf(uuid7(now() - MAX_AGE, 0, ""));
  return Object.keys(store())
    .sort()
    .reverse()
    .filter((name) => name.startsWith(PREFIX) && ((name > oldest && (length += recall(name)!.length) < MAX_LENGTH) || !forget(name)));
};

export const recall = (name: string): string | undefined => store()[name];

export const forget = (name: string): boolean => delete store()[name];

export const keep = guarded((name: string, batch: string) => {
  store()[name] = batch;
  kept();
});
