// One document load: its id, its views, and the events of it that are not on their way yet.
import { type Captured, type Properties, writeBatch } from "./batch";
import { elapsed, start } from "./clock";
import { envelope, isOff, noteCount, ordinal } from "./consent";
import { MAX_LENGTH, beacon, deliver } from "./delivery";
import type { Subject } from "./element";
import { guarded, trouble } from "./guard";
import { randomHalf, uuid7 } from "./id";
import { cut } from "./mask";
import { environment, release } from "./tag";
import { type View, viewNow } from "./view";

const FLUSH_MS = 2_000;
const FIRST_FLUSH_MS = 200; // long enough for the page to say an exposure or a user along with its first view
const MANY = 20; // events are written at a time, so that no task is long

const half = randomHalf();
const page = { id: uuid7(start, 0, half), start };

let view: View; // none before it is told
let toldView: View | undefined;
let set: Properties | undefined;
let seq = 0;
export const waiting: Captured[] = [];
let timer: number | undefined;

export const capture = (type: string, t = elapsed(), fields: Properties = {}, subject?: Subject): void => {
  if (isOff()) return;
  waiting.push({ id: uuid7(start + t, ++seq, half), type, t, seq, view, set, subject, fields });
  const isMuch = waiting.length >= MANY;
  if (timer && !isMuch) return;
  clearTimeout(timer);
  timer = setTimeout(flush, isMuch ? 0 : seq === 1 ? FIRST_FLUSH_MS : FLUSH_MS, MANY);
};

// Whatever has happened, or the first of it, becomes batches that are on their way.
export const flush = guarded((most: number = Infinity): void => {
  if (trouble.first) capture("snippet_error", undefined, { name: cut(`${trouble.first}`, 200) });
  trouble.first &&= 0; // told
  const events = waiting.splice(0, most);
  clearTimeout(timer);
  timer = waiting.length ? setTimeout(flush, 0, MANY) : undefined;
  if (!events.length) return;
  view.title = document.title;
  const head = { page: { ...page, ordinal }, ...envelope(), release, environment, viewport: [innerWidth, innerHeight] };
  deliverAll(head, events);
});

const deliverAll = (head: Properties, events: Captured[]): void => {
  const batch = writeBatch(head, events);
  if (events.length < 2 || batch.length < MAX_LENGTH) deliver(events[0]!.id, batch);
  else {
    deliverAll(head, events.splice(0, events.length >> 1));
    deliverAll(head, events);
  }
};

// The page may never be seen again.
export const sendOff = (): void => {
  flush();
  noteCount(seq);
  beacon();
};

// Properties of every later event, added to those set before; called with nothing it takes all off.
export const setProperties = (properties?: Properties): void => {
  set = properties && { ...set, ...properties };
};

// Tells the view, unless it was told: it may have been held back until consent came.
export const tellView = (t?: number): void => {
  view ??= viewNow(`${document.referrer}`);
  if (isOff() || toldView === view) return;
  toldView = view;
  capture("page_view", t);
};

// A page that is shown again from the browser's memory is the same page, seen once more.
export const viewAgain = (): void => {
  toldView = undefined;
  tellView();
};

// A navigation to where we are is no view.
export const noticeAddress = (): void => {
  if (location.href === view.url) return;
  view.title = document.title;
  view = viewNow("");
  tellView();
};
