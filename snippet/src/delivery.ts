// Batches wait here until the collector has answered for them. One is under way at a time; what fails is tried again with
// the same events, later and later. When the page is hidden beacons go out at once: it may never be seen again.
import { now } from "./clock";
import { NAME } from "./consent";
import { forget, keep, kept, nameOf, recall } from "./kept";
import { loadMore } from "./more";
import { collector } from "./tag";

// Browsers cap beacons at 64 KiB in flight for the whole page. A character has up to three bytes, but
// most of a batch is ours and has one.
export const MAX_LENGTH = 30_000;
const SMALL = 1_000; // packed, it would not be much smaller
const MAX_WAITING = 48; // about a megabyte
const TIMEOUT_MS = 30_000;

const { fetch } = window;

// Batches by the names they are kept under, the oldest first.
const waiting = new Map<string, string>();
const beaconed = new Set<string>(); // nobody tells what became of a beacon
let isBusy = false;
let failures = 0;

const first = (): string | undefined => [...waiting.keys()].find((name) => !beaconed.has(name));
const left = (): string | undefined => kept().find((name) => !waiting.has(name)); // by earlier pages
const read = (name: string): string | undefined => waiting.get(name) ?? recall(name);

export const deliver = (id: string, batch: string): void => {
  waiting.set(nameOf(id), batch);
  if (waiting.size > MAX_WAITING) waiting.delete(first()!);
  setTimeout(work); // writing a batch and sending it are two tasks
};

const work = async (): Promise<void> => {
  if (isBusy) return;
  isBusy = true;
  try {
    for (let name; (name = first()); ) {
      const pause = await attempt(name);
      if (pause) await new Promise((wake) => setTimeout(wake, pause));
    }
    // The collector answers, so what earlier pages kept may go too: one tab at a time sends it.
    if (left()) {
      const { locks } = navigator as { locks?: LockManager };
      await (locks ? locks.request(NAME, { ifAvailable: true }, (lock) => lock && sendLeft()) : sendLeft());
    }
  } catch {
    // The browser's storage was closed to us meanwhile.
  }
  isBusy = false;
  if (first()) work();
};

// What fails waits for the next answer. A page that held the lock for so long could not go to the browser's memory.
const sendLeft = async (): Promise<void> => {
  for (let name; (name = left()) && !(await attempt(name)); );
};

// How long to wait until the next attempt; 0 when there is to be none.
const attempt = async (name: string): Promise<number> => {
  const batch = read(name)!;
  let asked = 0;
  try {
    const body = await packed(stamped(batch));
    // While it was packed a beacon may have taken it along, or consent may have been withdrawn.
    if (beaconed.has(name) || !read(name)) return 0;
    const answer = await fetch(collector, {
      method: "POST",
      body,
      headers: { "content-type": "text/plain" }, // asks no preflight
      signal: AbortSignal.timeout?.(TIMEOUT_MS)!,
    });
    const { status } = answer; // alone: a browser makes headers for whoever asks
    // Any other refusal would be the same the next time.
    if (status < 500 && status !== 429 && status !== 408) {
      waiting.delete(name);
      forget(name);
      loadMore();
      return (failures = 0);
    }
    asked = +answer.headers.get("retry-after")! * 1_000;
  } catch {
    // No network, or the collector is away.
  }
  if (read(name)) keep(name, batch);
  return (asked || 1_000 * 2 ** Math.min(failures++, 6)) * (1 + Math.random() / 2);
};

// The time of sending is that of this attempt, by the clock of the events.
const stamped = (batch: string): string => `{"v":1,"sent_at":${now()},` + batch.slice(1);

const packed = async (text: string): Promise<Blob | string> =>
  text.length < SMALL || !window.CompressionStream
    ? text
    : new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).blob();

// The page may be going: nothing asynchronous may stand between an event and its beacon.
export const beacon = (): void => {
  for (const [name, batch] of waiting) {
    if (beaconed.has(name)) continue;
    keep(name, batch);
    if (navigator.sendBeacon?.(collector, stamped(batch))) beaconed.add(name);
  }
};

// The page is shown again: what nobody has answered for goes again, and the collector drops the copies.
export const resume = (): void => {
  beaconed.clear();
  work();
};

export const withdraw = (): void => waiting.clear();
