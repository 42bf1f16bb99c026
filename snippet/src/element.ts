// Where an element stands: its descriptor, its place among its siblings, and its ancestors up to the document.
import { hasAttribute, parentNode, parentOf } from "./native";
import { describe, type Descriptor } from "./descriptor";
import { placeOf, type Place } from "./place";
import { isIgnored, isPrivate } from "./privacy";
import { isInteractive, textOf, type Text } from "./text";

const DEPTH = 128; // no real page is deeper; a cut chain is marked, so that a selector can answer "unknown"
const STEPS = 10_000; // and a page whose parents go round in a circle ends here

const SHADOW_CHILD = 1;
const CUT = 2;
const ROOT = 4;

export interface Standing {
  readonly descriptor: Descriptor;
  readonly parent: Standing | undefined;
  readonly numbers: Place["numbers"];
  readonly previous: readonly Descriptor[];
  readonly flags: number;
}

export interface Subject {
  readonly standing: Standing;
  readonly text: Text | undefined;
  readonly label: Text | undefined;
}

// The element with all that is known of it now; nothing if the page wants it ignored.
export const subjectOf = (target: Element): Subject | undefined => {
  const chain: Element[] = [];
  let mask = -1; // the highest element with a mask, counted from the target
  let editor = document.designMode === "on" ? STEPS : -1; // the highest that may be edited
  let steps = 0;
  for (let element: Element | null = target; element && steps < STEPS; element = parentOf(element), steps++) {
    if (isIgnored(element)) return undefined;
    if (isPrivate(element)) mask = steps;
    if (hasAttribute(element, "contenteditable")) editor = steps;
    if (steps < DEPTH) chain.push(element);
  }

  let standing: Standing | undefined;
  for (let height = chain.length; height--; ) {
    const element = chain[height]!;
    const { numbers, previous } = placeOf(element);
    const parent = parentNode(element);
    standing = {
      descriptor: describe(element, height <= mask, height <= editor),
      parent: standing,
      numbers,
      previous: previous.map((sibling) => describe(sibling, height < mask || isPrivate(sibling), height < editor)),
      flags:
        (parent instanceof ShadowRoot ? SHADOW_CHILD : 0) |
        (height === DEPTH - 1 && steps > DEPTH ? CUT : 0) |
        (parent === document ? ROOT : 0),
    };
  }

  // Text of what is masked or may have been typed stays in the page.
  const text = (height: number): Text | undefined =>
    height < 0 || height <= mask || height <= editor ? undefined : textOf(chain[height]!);
  const labelled = chain.findIndex(isInteractive);
  const label = text(labelled);
  return { standing: standing!, text: labelled ? undefined : label, label };
};
