// Batches wait here until the collector has answered for them. One is under way at a time; what fails is tried again with
// the same events, later and later. When the page is hidden beacons go out at once: it may never be seen again.
import { now } from "./clock";
import { collector } from "./tag";

// Browsers cap keepalive bodies and beacons at 64 KiB in flight for the whole page.
export const MAX_BYTES = 60_000;
const MAX_WAITING = 16; // about a megabyte
const TIMEOUT_MS = 30_000;

const { fetch } = window;

let waiting: string[] = [];
let beaconed: string[] = []; // nobody tells what became of a beacon
let isBusy = false;
let failures = 0;

export const deliver = (batch: string): void => {
  waiting.push(batch);
  if (waiting.length > MAX_WAITING) waiting.shift();
  work();
};

const work = async (): Promise<void> => {
  if (isBusy) return;
  isBusy = true;
  for (let batch; (batch = waiting[0]); ) {
    const pause = await attempt(batch);
    if (pause) await new Promise((wake) => setTimeout(wake, pause));
    else waiting = waiting.filter((other) => other !== batch);
  }
  isBusy = false;
};

// How long to wait until the next attempt; 0 when there is to be none.
const attempt = async (batch: string): Promise<number> => {
  let asked = 0;
  try {
    const body = await packed(stamped(batch));
    // While it was packed a beacon may have taken it along, or consent may have been withdrawn.
    if (!waiting.includes(batch)) return 0;
    const { status, headers } = await fetch(collector, {
      method: "POST",
      body,
      headers: { "content-type": "text/plain" }, // asks no preflight
      keepalive: body.size < MAX_BYTES,
      credentials: "omit",
      signal: AbortSignal.timeout?.(TIMEOUT_MS) ?? null,
    });
    // Any other refusal would be the same the next time.
    if (status < 500 && status !== 429 && status !== 408) return (failures = 0);
    asked = +headers.get("retry-after")! * 1_000;
  } catch {
    // No network, or the collector is away.
  }
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
  waiting = waiting.filter((batch) => !(navigator.sendBeacon(collector, stamped(batch)) && beaconed.push(batch)));
};

// The page is shown again: what nobody has answered for goes again, and the collector drops the copies.
export const resume = (): void => {
  waiting = beaconed.concat(waiting);
  beaconed = [];
  work();
};

export const withdraw = (): void => {
  waiting = beaconed = [];
};
