// Where an element stands among its siblings. Nothing is remembered between clicks, because nobody tells when a list
// changes; what lies further off than a loop can go fast, the browser counts itself, for the last of 10,000 rows.
import { localName, namespaceOf, nextElement, previousElement } from "./native";

const FAR = 50; // siblings on each side
const PREVIOUS = 20; // siblings before it that are described, nearest first

type Numbers = [index: number, count: number, typeIndex: number, typeCount: number];

export const placeOf = (element: Element): [numbers: Numbers, previous: Element[]] => {
  const name = localName(element);
  const namespace = namespaceOf(element);
  const previous: Element[] = [];
  // How many siblings stand on a side, and how many of them are of its type.
  const side = (next: (from: Element) => Element | null, axis: string): [number, number] => {
    let all = 0;
    let ofType = 0;
    for (let sibling: Element | null = element; (sibling = next(sibling)); ) {
      if (all === FAR) {
        const count = (test: string): number =>
          document.evaluate(`count(${axis}-sibling::${test})`, element, () => namespace, 1).numberValue;
        try {
          return [count("*"), count("x:" + name)];
        } catch {
          // XPath cannot say the name of this element.
        }
      }
      if (axis[0] === "p" && all < PREVIOUS) previous.push(sibling);
      all++;
      if (localName(sibling) === name && namespaceOf(sibling) === namespace) ofType++;
    }
    return [all, ofType];
  };
  const [before, typeBefore] = side(previousElement, "preceding");
  const [after, typeAfter] = side(nextElement, "following");
  return [[before + 1, before + after + 1, typeBefore + 1, typeBefore + typeAfter + 1], previous];
};
