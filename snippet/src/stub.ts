// The line that a page may carry before our tag. It keeps the calls a page makes and the clicks on what was there before
// us; without it, calls made earlier than us are errors of the page, and clicks made earlier than us are lost.

// When, and what was called or clicked. The path of an event is only known while it is on its way, so the stub takes
// what we need of it.
export type Entry =
  | readonly [t: number, call: ArrayLike<unknown>]
  | readonly [t: number, type: string, target: Node, x: number, y: number, isTrusted: boolean];

export interface Expost {
  (...call: unknown[]): void;
  q: Entry[];
}

declare global {
  interface Window {
    expost?: Expost;
  }
}

// Written out as a page has it: build.mjs prints the function into dist/stub.js.
export const stub = (): void => {
  const page = window;
  if (page.expost) return;
  const q: Entry[] = [];
  page.expost = Object.assign(
    function () {
      q.push([performance.now(), arguments]);
    },
    { q },
  );
  addEventListener(
    "click",
    (event) => {
      q.push([performance.now(), event.type, event.composedPath()[0] as Node, event.clientX, event.clientY, event.isTrusted]);
    },
    true,
  );
};
