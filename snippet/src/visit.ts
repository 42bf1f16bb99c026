// A visit of the page: from its view until it is left, with the time for which it was to be seen. One that comes back
// from the browser's memory is a new visit of the same page.
import { elapsed } from "./clock";
import type { Properties } from "./batch";
import { capture } from "./page";

// What else a page says when it is left.
export const leaving: Properties = {};

let since: number | undefined; // when it was shown, unless it is hidden
let last: number | undefined; // when it was last to be seen
let dwell: number | undefined; // for how long until then, in milliseconds; nothing once it is left

export const enterPage = (t?: number): void => {
  dwell = 0;
  last = since = undefined;
  if (document.visibilityState !== "hidden") showPage(t);
};

export const showPage = (t = elapsed()): void => {
  if (dwell != null) since ??= t;
};

export const hidePage = (): void => {
  if (since == null) return;
  last = elapsed();
  dwell! += last - since;
  since = undefined;
};

// It counts from the moment at which the visitor turned away, not from that at which the browser tidied up.
export const leavePage = (): void => {
  hidePage();
  if (dwell != null) capture("page_leave", last, { properties: { ...leaving, dwell_ms: Math.round(dwell) } });
  dwell = undefined;
};
