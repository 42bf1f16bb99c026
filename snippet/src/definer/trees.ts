// The trees of a page: the document, its open shadow roots, and the documents of frames of its origin. Each is asked by
// itself, as a selector does not leave its tree.
import { frameOf } from "./chain";

type Tree = Document | ShadowRoot;

export const treesOf = (tree: Tree = document, own?: Element): Tree[] => {
  const found: Tree[] = [tree];
  for (const element of tree.querySelectorAll("*")) {
    const inner = element === own ? null : innerOf(element);
    if (inner) found.push(...treesOf(inner, own));
  }
  return found;
};

export const innerOf = (element: Element): Tree | null => element.shadowRoot ?? documentIn(element);

const documentIn = (element: Element): Document | null =>
  /^i?frame$/.test(element.localName) ? (element as HTMLIFrameElement).contentDocument : null;

// What the browser says a selector matches on this page; it throws what the browser throws.
export const matchesOf = (selector: string, own: Element): Element[] =>
  treesOf(document, own).flatMap((tree) => [...tree.querySelectorAll(selector)].filter((element) => element !== own));

// The element that a click at this place would have for its target.
export const elementAt = (x: number, y: number, own: Element): Element | undefined => {
  let tree: Tree = document;
  let found: Element | undefined;
  for (;;) {
    const hit: Element | undefined = tree.elementsFromPoint(x, y).find((element) => element !== own && element.getRootNode() === tree);
    if (!hit) return found;
    found = hit;
    const inner = innerOf(hit);
    if (!inner) return found;
    if (inner.nodeType === 9) {
      const { left, top } = hit.getBoundingClientRect();
      x -= left + hit.clientLeft;
      y -= top + hit.clientTop;
    }
    tree = inner;
  }
};

// Where an element is to be seen in this window.
export const boxOf = (element: Element): { x: number; y: number; width: number; height: number } => {
  let { x, y, width, height } = element.getBoundingClientRect();
  for (let frame = frameOf(element.ownerDocument); frame; frame = frameOf(frame.ownerDocument)) {
    const around = frame.getBoundingClientRect();
    x += around.x + frame.clientLeft;
    y += around.y + frame.clientTop;
  }
  return { x, y, width, height };
};
