// Where an element stands: its descriptor, its place among its siblings, and its ancestors up to the document.
import { hasAttribute, isElement, nodeType, parentNode, parentOf } from "./native";
import { describe, type Descriptor } from "./descriptor";
import { placeOf } from "./place";
import { isIgnored, isListed, isPrivate } from "./privacy";
import { isListedOnly, text as textMode } from "./tag";
import { isInteractive, isSilent, textOf, type Words } from "./text";

const DEPTH = 128; // no real page is deeper; a cut chain is marked, so that a selector can answer "unknown"
const STEPS = 10_000; // and a page whose parents go round in a circle ends here

const SHADOW_CHILD = 1;
const CUT = 2;
const ROOT = 4;

export type Standing = readonly [
  descriptor: Descriptor,
  parent: Standing | undefined,
  numbers: readonly number[],
  previous: readonly Descriptor[],
  flags: number,
];

export type Subject = readonly [standing: Standing, label: Words | undefined, text: Words | undefined];

// The element with all that is known of it now; nothing if the page wants it ignored.
export const subjectOf = (target: Element): Subject | undefined => {
  const chain: Element[] = [];
  let mask = -1; // the highest element with a mask, counted from the target
  let editor = document.designMode === "on" ? STEPS : -1; // the highest that may be edited
  let silent = editor; // the highest that has no text of its own
  let listed = isListedOnly ? -1 : STEPS; // the highest whose text the site allows
  let steps = 0;
  for (let element: Element | null = target; element && steps < STEPS; element = parentOf(element), steps++) {
    if (isIgnored(element)) return;
    if (isPrivate(element)) mask = steps;
    if (hasAttribute(element, "contenteditable")) editor = steps;
    if (isSilent(element)) silent = steps;
    if (isListed(element) && listed < steps) listed = steps;
    if (steps < DEPTH) chain.push(element);
  }

  const standing = chain.reduceRight<Standing | undefined>((parent, element, height) => {
    const [numbers, previous] = placeOf(element);
    const above = parentNode(element);
    return [
      describe(element, height <= mask, height <= editor),
      parent,
      numbers,
      previous.map((sibling) => describe(sibling, height < mask || isPrivate(sibling), height < editor)),
      (parent && !isElement(above!) ? SHADOW_CHILD : 0) |
        (height === DEPTH - 1 && steps > DEPTH ? CUT : 0) |
        (above && nodeType(above) === 9 ? ROOT : 0),
    ];
  }, undefined)!;

  // Text of what is masked or may have been typed stays in the page.
  const textAt = (height: number): Words | undefined =>
    height > mask && height > silent && height <= listed ? textOf(chain[height]!) : undefined;
  const place = chain.findIndex(isInteractive);
  const label = textAt(place);
  return [standing, label, place ? (textMode === "labels" ? undefined : textAt(0)) : label];
};
