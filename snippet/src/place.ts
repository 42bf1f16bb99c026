// Where an element stands among its siblings. Only what the browser walks itself is fast enough for the last of 10,000
// rows, so long lists are counted by XPath; nothing is remembered between clicks, because nobody says when a list changes.
import { localName, namespaceOf, nextElement, previousElement } from "./native";

const PREVIOUS = 20; // siblings before it that are described, nearest first
const LONG = 100; // from here on XPath is faster than a walk

export interface Place {
  readonly numbers: readonly [index: number, count: number, typeIndex: number, typeCount: number];
  readonly previous: readonly Element[];
}

export const placeOf = (element: Element): Place => {
  const previous: Element[] = [];
  const [before, typeBefore] = tally(element, previousElement, "preceding", previous);
  const [after, typeAfter] = tally(element, nextElement, "following", []);
  return {
    numbers: [before + 1, before + after + 1, typeBefore + 1, typeBefore + typeAfter + 1],
    previous,
  };
};

type Step = (element: Element) => Element | null;

// How many siblings there are in one direction, and how many of the element's type. The first of them go to `seen`.
const tally = (element: Element, step: Step, axis: string, seen: Element[]): [all: number, same: number] => {
  const name = localName(element);
  const namespace = namespaceOf(element);
  let all = 0;
  let same = 0;
  for (let sibling = step(element); sibling; sibling = step(sibling)) {
    if (all === LONG) {
      const counted = count(element, axis, name, namespace);
      if (counted) return counted;
    }
    if (all++ < PREVIOUS) seen.push(sibling);
    if (localName(sibling) === name && namespaceOf(sibling) === namespace) same++;
  }
  return [all, same];
};

// Nothing for what XPath cannot name: then the walk goes on.
const count = (element: Element, axis: string, name: string, namespace: string | null): [number, number] | undefined => {
  try {
    const number = (test: string): number =>
      document.evaluate(`count(${axis}-sibling::${test})`, element, () => namespace, 1).numberValue;
    return [number("*"), number("x:" + name)];
  } catch {
    return undefined;
  }
};
