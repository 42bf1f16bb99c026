// What a person does, heard at the window before the page hears it. A listener reads what it needs and returns; batches
// are written later.
import { capture } from "./page";
import { isOff } from "./consent";
import { subjectOf } from "./element";
import { guarded } from "./guard";
import { isElement, parentOf } from "./native";

const heard = new WeakSet<Event>();
const roots = new WeakSet<Node>();

const hear = guarded((event: Event): void => {
  if (isOff() || heard.has(event)) return;
  heard.add(event);
  const path = event.composedPath();
  hearShadows(path);
  const { clientX, clientY } = event as MouseEvent;
  recordAction(event.type, path[0] as Node, clientX, clientY, event.isTrusted);
});

// A text is its parent's; a document has nothing to point at.
export const recordAction = (type: string, target: Node, x?: number, y?: number, isTrusted?: boolean, t?: number): void => {
  const element = isElement(target) ? target : parentOf(target);
  const subject = element && subjectOf(element);
  if (subject) capture(type, { x: pixels(x), y: pixels(y), trusted: isTrusted ? undefined : false }, subject, t);
};

const pixels = (length?: number): number | undefined => length && Math.round(length);

// `change` and `submit` end at the root of the tree they happen in. Before they do, somebody clicks or focuses there.
const hearShadows = (path: EventTarget[]): void => {
  for (const root of path) {
    if (root instanceof ShadowRoot && !roots.has(root)) {
      roots.add(root);
      root.addEventListener("change", hear, true);
      root.addEventListener("submit", hear, true);
    }
  }
};

export const listen = (): void => {
  for (const type of ["click", "auxclick", "change", "submit"]) addEventListener(type, hear, true);
  addEventListener("focusin", guarded((event: Event) => hearShadows(event.composedPath())), true);
};
