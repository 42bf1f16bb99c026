// What an element is: tag, attributes, state. Read at the click, because the page may change it a moment later; masked
// and written out when the batch is closed.
import { attribute, attributeNames, localName, matches, namespaceOf, ownerOf } from "./native";
import { address } from "./address";
import { LOOK, cut, mask } from "./mask";
import { attributes, clear } from "./tag";

// 1, 2 and 4 are STATES.
const OPEN = 8;
const READ_ONLY = 16;
const QUIRKS = 32;
const NAMESPACES: Record<string, number> = { tml: 0, svg: 64, hML: 128 }; // by how their addresses end: XHTML, SVG, MathML
const FOREIGN = 256;

// What is kept of an attribute. Nothing of what holds typed text, code or secrets; of most others only the name.
const NEVER = /^(value|style|srcdoc|nonce|on.*)$/i;
const ADDRESS = /^(href|src|action|data-.*)$/;
const CLEAR =
  /^(id|class|name|type|role|method|for|title|alt|rel|target|placeholder|lang|dir|tabindex|disabled|checked|required|open|hidden|href|src|action|(aria|data)-.*)$/;
const MASKED_CLEAR = /^(id|class)$/;
const LISTED = clear.split(/\s+/); // by the site

const isClear = (name: string): boolean => LISTED.includes(name) || (attributes === "default" ? CLEAR : MASKED_CLEAR).test(name);

// Only these have a state of their own; of all others a browser knows `:read-only` alone.
const FIELD = /^(input|textarea|select|button|option|optgroup|fieldset)$|-/;
const STATES = [":checked", ":disabled", ":required"];
const EDITED = "input,textarea,[contenteditable]";

// Tag, state, and a value for each name (null: the name alone is kept).
export type Descriptor = [tag: string, state: number, attributes: [name: string, value: string | null][]];

export const describe = (element: Element, isMasked: boolean, isEditable: boolean): Descriptor => {
  const tag = localName(element);
  const names = attributeNames(element).filter((name) => !NEVER.test(name));
  let state = (ownerOf(element).compatMode === "BackCompat" ? QUIRKS : 0) | (NAMESPACES[`${namespaceOf(element)}`.slice(-3)] ?? FOREIGN);
  if (names.includes("open")) state |= OPEN;
  if (FIELD.test(tag)) STATES.forEach((selector, bit) => matches(element, selector) && (state |= 1 << bit));
  // The browser has to compute styles for what it finds not to be read-only, so it is asked where it matters.
  if ((!isEditable && !matches(element, EDITED)) || matches(element, ":read-only")) state |= READ_ONLY;
  // One character more than will be looked at tells that there was more.
  return [tag, state, names.map((name) => [name, (isMasked ? MASKED_CLEAR.test(name) : isClear(name)) ? attribute(element, name)!.slice(0, LOOK + 1) : null])];
};

const LIMIT = 200;
const CLASS_LIMIT = 1_000;

// As wire.md has it.
export const writeDescriptor = ([tag, state, attributes]: Descriptor): unknown[] => {
  const clear: Record<string, string> = {};
  const others: string[] = [];
  const marks: string[] = [];
  for (const [name, value] of attributes) {
    if (value === null) others.push(mask(name));
    else {
      clear[name] = cut(ADDRESS.test(name) ? address(value) : value, name === "class" ? CLASS_LIMIT : LIMIT);
      if (clear[name] !== value) marks.push(name);
    }
  }
  const { id = null, class: classes = null, ...rest } = clear;
  return [mask(tag), id, classes, rest, others.sort(), state, marks];
};
