// Where an element stands among its siblings. Nothing is remembered between clicks, because nobody tells when a list
// changes; the browser counts, and it is asked by halves, so that the last of 10,000 rows takes no longer than the first.
import { childrenOf, isElement, matches, nodeType, parentNode } from "./native";

const PREVIOUS = 20; // siblings before it that are described, nearest first

type Numbers = [index: number, count: number, typeIndex: number, typeCount: number];

export const placeOf = (element: Element): [numbers: Numbers, previous: Element[]] => {
  const parent = parentNode(element);
  const siblings: ArrayLike<Element> =
    parent && (isElement(parent) ? childrenOf(parent) : nodeType(parent) === 11 && (parent as ShadowRoot).children) || [element];
  const atLeast = (pseudo: string, most: number): number => largest(most, (n) => matches(element, `:nth-${pseudo}of-type(n+${n})`));
  const count = siblings.length;
  const index = largest(count, (n) => !(siblings[n - 1]!.compareDocumentPosition(element) & 2)); // does not stand before it
  const typeIndex = atLeast("", index);
  return [
    [index, count, typeIndex, typeIndex + atLeast("last-", count - index + 1) - 1],
    [].slice.call(siblings, Math.max(index - 1 - PREVIOUS, 0), index - 1).reverse(),
  ];
};

// The largest number up to `most` of which it is true, as it is of 1 and of all below. Most often it is of `most`.
const largest = (most: number, isTrue: (n: number) => boolean): number => {
  let least = 1;
  for (let n = most; least < most; n = (least + most + 1) >> 1) {
    if (isTrue(n)) least = n;
    else most = n - 1;
  }
  return least;
};
