// Bodies wait here until the collector has answered for them. One is under way at a time; what fails is tried again with
// the same events, later and later. When the page is hidden, beacons go out at once: it may never be seen again.
import { now } from "./clock";
import { guarded } from "./guard";
import { collector } from "./tag";

// Browsers cap keepalive bodies and beacons at 64 KiB in flight for the whole page.
export const MAX_BYTES = 60_000;
const MAX_WAITING = 16; // about a megabyte
const WORTH_PACKING = 1_000;
const TIMEOUT_MS = 30_000;

interface Parcel {
  readonly batch: string;
  isUnderWay: boolean;
  isBeaconed: boolean; // nobody tells whether a beacon was answered: it goes again if the page is shown again
}

let parcels: Parcel[] = [];
let isBusy = false;
let failures = 0;
const { fetch } = window;

export const deliver = (batch: string): void => {
  parcels.push({ batch, isUnderWay: false, isBeaconed: false });
  if (parcels.length > MAX_WAITING) parcels.splice(parcels[0]!.isUnderWay ? 1 : 0, 1);
  guarded(work)();
};

// The time of sending is that of this attempt, by the clock of the events.
const stamped = ({ batch }: Parcel): string => `{"v":1,"sent_at":${now()},${batch.slice(1)}`;

const work = async (): Promise<void> => {
  if (isBusy) return;
  isBusy = true;
  for (let parcel; (parcel = parcels.find(({ isBeaconed }) => !isBeaconed)); ) {
    const pause = await attempt(parcel);
    parcel.isUnderWay = false;
    if (pause) await new Promise((wake) => setTimeout(wake, pause));
    else if (!parcel.isBeaconed) drop(parcel);
  }
  isBusy = false;
};

const drop = (parcel: Parcel): void => {
  parcels = parcels.filter((other) => other !== parcel);
};

// How long to wait until the next attempt; 0 when there is to be none.
const attempt = async (parcel: Parcel): Promise<number> => {
  let asked = 0;
  try {
    const body = await packed(stamped(parcel));
    // While it was packed a beacon may have taken it along, or consent may have been withdrawn.
    if (parcel.isBeaconed || !parcels.includes(parcel)) return 0;
    parcel.isUnderWay = true;
    const { status, headers } = await fetch(collector as string, {
      method: "POST",
      body,
      headers: { "content-type": "text/plain" }, // asks no preflight
      keepalive: body.size < MAX_BYTES,
      credentials: "omit",
      signal: AbortSignal.timeout?.(TIMEOUT_MS) ?? null,
    });
    // Any other refusal would be the same the next time.
    if (status < 500 && status !== 429 && status !== 408) return (failures = 0);
    asked = Number(headers.get("retry-after")) * 1_000;
  } catch {
    // No network, or the collector is away.
  }
  return (asked || 1_000 * 2 ** Math.min(failures++, 6)) * (1 + Math.random() / 2);
};

const packed = async (text: string): Promise<Blob> => {
  const body = new Blob([text]);
  if (body.size < WORTH_PACKING || !window.CompressionStream) return body;
  return new Response(body.stream().pipeThrough(new CompressionStream("gzip"))).blob();
};

// The page may be going: nothing asynchronous may stand between an event and its beacon.
export const beacon = (): void => {
  for (const parcel of parcels) {
    if (!parcel.isUnderWay && !parcel.isBeaconed) parcel.isBeaconed = navigator.sendBeacon(collector as string, stamped(parcel));
  }
};

// The page is shown again: what no one has answered for goes again, and the collector drops the copies.
export const resume = (): void => {
  for (const parcel of parcels) parcel.isBeaconed = false;
  guarded(work)();
};

export const withdraw = (): void => {
  parcels = [];
};
