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
  const numbers = (siblings.length > LONG && counted(element, siblings)) || looped(element, siblings);
  const previous: Element[] = [];
  for (let place = numbers[0] - 2; place >= 0 && previous.length < PREVIOUS; place--) previous.push(siblings[place]!);
  return [numbers, previous];
};

const looped = (element: Element, siblings: ArrayLike<Element>): Numbers => {
  const name = localName(element);
  const namespace = namespaceOf(element);
  const numbers: Numbers = [0, siblings.length, 0, 0];
  for (let place = 0; place < siblings.length; ) {
    const sibling = siblings[place++]!;
    if (localName(sibling) === name && namespaceOf(sibling) === namespace) numbers[3]++;
    if (sibling === element) [numbers[0], numbers[2]] = [place, numbers[3]];
  }
  return numbers;
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
