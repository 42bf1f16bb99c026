// The line that a page may carry before our tag (dist/stub.js). It keeps the calls a page makes, and the clicks on what
// was there before us; without it the former are errors of the page, and the latter are lost.

// When, and the call. A click is kept as one: the path of an event is only known while it is on its way.
type Entry = [t: number, call: any];

export interface Expost {
  (...call: unknown[]): void;
  q: Entry[];
}

declare global {
  interface Window {
    expost?: Expost;
  }
}

const q: Entry[] = [];

// Whoever queues goes on doing so: once we are there, the queue is us. A page that has something else of this name keeps it,
// and makes no calls.
export const queue = (): Entry[] => {
  window.expost ??= Object.assign((...call: unknown[]) => { q.push([performance.now(), call]); }, { q });
  return window.expost.q ?? q;
};
