// Batches wait here until the collector has answered for them. One is under way at a time; what fails is tried again with
// the same events, later and later. When the page is hidden beacons go out at once: it may never be seen again.
import { now } from "./clock";
import { NAME } from "./consent";
import { forget, keep, kept, recall } from "./kept";
import { collector } from "./tag";

// Browsers cap keepalive bodies and beacons at 64 KiB in flight for the whole page.
export const MAX_BYTES = 60_000;
const MAX_WAITING = 16; // about a megabyte
const TIMEOUT_MS = 30_000;

const { fetch } = window;
const { locks } = navigator as { locks?: LockManager };

// Batches by the id of their first event.
const waiting = new Map<string, string>();
const beaconed = new Map<string, string>(); // nobody tells what became of a beacon
let isBusy = false;
let failures = 0;
let letGo = (): void => {};

const first = (): string | undefined => waiting.keys().next().value;
const left = (): string | undefined => kept().find((id) => !beaconed.has(id)); // by earlier pages

export const deliver = (id: string, batch: string): void => {
  waiting.set(id, batch);
  if (waiting.size > MAX_WAITING) waiting.delete(first()!);
  work();
};

const work = async (): Promise<void> => {
  if (isBusy) return;
  isBusy = true;
  try {
    await send(first);
    // The collector answers, so what earlier pages kept may go too.
    if (left()) await claimed(() => send(() => first() ?? left()));
  } catch {
    // The browser's storage was closed to us meanwhile.
  }
  isBusy = false;
  if (first()) work();
};

// One tab at a time sends what is kept. A page that holds a lock cannot go to the browser's memory, so it lets go of it
// when it is hidden; at worst a batch goes twice.
const claimed = (work: () => Promise<void>): Promise<void> =>
  new Promise((done) => {
    const begin = (): Promise<void> => work().then(done, done);
    if (!locks) begin();
    else
      locks
        .request(NAME, { ifAvailable: true }, (lock) =>
          lock ? Promise.race([begin(), new Promise<void>((free) => (letGo = free))]) : done(),
        )
        .catch(done);
  });

const send = async (next: () => string | undefined): Promise<void> => {
  for (let id; (id = next()); ) {
    const pause = await attempt(id, waiting.has(id) ? (id) => waiting.get(id) : recall);
    if (pause) await new Promise((wake) => setTimeout(wake, pause));
  }
};

// How long to wait until the next attempt; 0 when there is to be none.
const attempt = async (id: string, read: (id: string) => string | undefined): Promise<number> => {
  const batch = read(id)!;
  let asked = 0;
  try {
    const body = await packed(stamped(batch));
    // While it was packed a beacon may have taken it along, or consent may have been withdrawn.
    if (!read(id)) return 0;
    const { status, headers } = await fetch(collector, {
      method: "POST",
      body,
      headers: { "content-type": "text/plain" }, // asks no preflight
      keepalive: body.size < MAX_BYTES,
      credentials: "omit",
      signal: AbortSignal.timeout?.(TIMEOUT_MS) ?? null,
    });
    // Any other refusal would be the same the next time.
    if (status < 500 && status !== 429 && status !== 408) {
      waiting.delete(id);
      beaconed.delete(id);
      forget(id);
      return (failures = 0);
    }
    asked = +headers.get("retry-after")! * 1_000;
  } catch {
    // No network, or the collector is away.
  }
  if (read(id)) keep(id, batch);
  return (asked || 1_000 * 2 ** Math.min(failures++, 6)) * (1 + Math.random() / 2);
};

// The time of sending is that of this attempt, by the clock of the events.
const stamped = (batch: string): string => `{"v":1,"sent_at":${now()},` + batch.slice(1);

const packed = async (text: string): Promise<Blob> => {
  const body = new Blob([text]);
  if (!window.CompressionStream) return body;
  return new Response(body.stream().pipeThrough(new CompressionStream("gzip"))).blob();
};

// The page may be going: nothing asynchronous may stand between an event and its beacon.
export const beacon = (): void => {
  letGo();
  for (const [id, batch] of waiting) {
    keep(id, batch);
    if (navigator.sendBeacon(collector, stamped(batch))) {
      beaconed.set(id, batch);
      waiting.delete(id);
    }
  }
};

// The page is shown again: what nobody has answered for goes again, and the collector drops the copies.
export const resume = (): void => {
  beaconed.forEach((batch, id) => waiting.set(id, batch));
  beaconed.clear();
  work();
};

export const withdraw = (): void => {
  waiting.clear();
  beaconed.clear();
};
