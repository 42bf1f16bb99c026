// What a person does, heard at the window before the page hears it. A listener reads what it needs and returns; batches
// are written later.
import { isOff } from "./consent";
import { subjectOf } from "./element";
import { guarded } from "./guard";
import { isElement, parentOf } from "./native";
import { capture } from "./page";

let last: Event; // that was heard, perhaps at a root inside before

const hear = guarded((event: Event): void => {
  const path = event.composedPath();
  // `change` and `submit` end at the root of the tree they happen in. Before they do, somebody clicks or focuses there.
  for (const root of path) if (root instanceof ShadowRoot) listenTo(root, "change", "submit");
  if (event.type === "focusin" || last === event) return;
  last = event;
  const { clientX, clientY } = event as MouseEvent;
  captureAction(event.type, path[0] as Node, clientX, clientY, event.isTrusted);
});

// A second time it changes nothing: a listener stands at a target once.
const listenTo = (target: EventTarget, ...types: string[]): void =>
  types.forEach((type) => target.addEventListener(type, hear, true));

export const listen = (): void => listenTo(window, "click", "auxclick", "change", "submit", "focusin");

// A text is its parent's; a document has nothing to point at.
export const captureAction = (type: string, target: Node, x?: number, y?: number, isTrusted?: boolean, t?: number): void => {
  if (isOff()) return;
  const element = isElement(target) ? target : parentOf(target);
  const subject = element && subjectOf(element);
  if (subject) capture(type, t, { x: x && Math.round(x), y: y && Math.round(y), trusted: isTrusted && undefined }, subject);
};
