// Where an element stands among its siblings. Nothing is remembered between clicks, because nobody tells when a list
// changes; of a long list only what the browser counts itself is fast enough for the last of 10,000 rows.
import { childrenOf, isElement, localName, namespaceOf, parentNode } from "./native";

const LONG = 100; // children from which on the browser counts faster than a loop
const PREVIOUS = 20; // siblings before it that are described, nearest first

type Numbers = [index: number, count: number, typeIndex: number, typeCount: number];

export const placeOf = (element: Element): [numbers: Numbers, previous: Element[]] => {
  const parent = parentNode(element);
  const siblings: ArrayLike<Element> =
    parent instanceof ShadowRoot ? parent.children : parent && isElement(parent) ? childrenOf(parent) : [element];
  const numbers = (siblings.length > LONG && counted(element, siblings)) || looked(element, Array.from(siblings));
  const before = numbers[0] - 1;
  return [numbers, [].slice.call(siblings, Math.max(before - PREVIOUS, 0), before).reverse()];
};

const looked = (element: Element, siblings: Element[]): Numbers => {
  const name = localName(element);
  const namespace = namespaceOf(element);
  const ofType = siblings.filter((sibling) => localName(sibling) === name && namespaceOf(sibling) === namespace);
  return [siblings.indexOf(element) + 1, siblings.length, ofType.indexOf(element) + 1, ofType.length];
};

// Nothing for an element whose name XPath cannot say.
const counted = (element: Element, siblings: ArrayLike<Element>): Numbers | undefined => {
  try {
    const ofType = (axis: string): number =>
      document.evaluate(`count(${axis}::x:${localName(element)})`, element, () => namespaceOf(element), 1).numberValue;
    const { length } = siblings;
    let before = 0;
    for (let end = length - 1; before < end; ) {
      const middle = (before + end) >> 1;
      if (siblings[middle]!.compareDocumentPosition(element) & 4) before = middle + 1; // the element follows it
      else end = middle;
    }
    const typeCount = ofType("../child");
    return [before + 1, length, (typeCount < length ? ofType("preceding-sibling") : before) + 1, typeCount];
  } catch {
    return;
  }
};
