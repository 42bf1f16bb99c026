// Where the keys lead: the arrows through the tree, Tab from control to control in the order of the page.
import { parentOf } from "./chain";
import { isControl } from "./control";
import { boxOf, innerOf } from "./trees";

export const neighbour = (element: Element, key: string, own: Element): Element | null => {
  switch (key) {
    case "ArrowUp":
      return parentOf(element);
    case "ArrowDown":
      return first((innerOf(element) ?? element).firstElementChild, "nextElementSibling", own);
    case "ArrowLeft":
      return first(element.previousElementSibling, "previousElementSibling", own);
    case "ArrowRight":
      return first(element.nextElementSibling, "nextElementSibling", own);
  }
  return null;
};

const SILENT = /^(head|script|style|template|noscript|link|meta|title)$/;

const first = (element: Element | null, next: "nextElementSibling" | "previousElementSibling", own: Element): Element | null => {
  while (element && (element === own || SILENT.test(element.localName))) element = element[next];
  return element;
};

export const nextControl = (from: Element | undefined, isBackwards: boolean, own: Element): Element | undefined => {
  const all = [...inOrder(document, own)];
  const start = from ? all.indexOf(from) : -1;
  const ahead = isBackwards ? all.slice(0, Math.max(start, 0)).reverse() : all.slice(start + 1);
  const behind = isBackwards ? all.slice(start + 1).reverse() : all.slice(0, Math.max(start, 0));
  return [...ahead, ...behind].find((element) => isControl(element) && isSeen(element));
};

const isSeen = (element: Element): boolean => {
  const { width, height } = boxOf(element);
  return width > 0 && height > 0 && (element.checkVisibility?.() ?? true);
};

function* inOrder(tree: ParentNode, own: Element): Iterable<Element> {
  for (const element of tree.querySelectorAll("*")) {
    if (element === own) continue;
    yield element;
    const inner = innerOf(element);
    if (inner) yield* inOrder(inner, own);
  }
}
