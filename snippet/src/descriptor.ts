// What an element is: tag, attributes, state. Read at the click, because the page may change it a moment later; masked
// and written out when the batch is closed.
import { attribute, attributeNames, localName, matches, namespaceOf } from "./native";
import { address } from "./address";
import { LOOK, cut } from "./mask";
import { trimmed } from "./row";

const CHECKED = 1;
const DISABLED = 2;
const REQUIRED = 4;
const OPEN = 8;
const READ_ONLY = 16;
const QUIRKS = 32;
const NAMESPACES: Record<string, number> = {
  "http://www.w3.org/1999/xhtml": 0,
  "http://www.w3.org/2000/svg": 64,
  "http://www.w3.org/1998/Math/MathML": 128,
};
const FOREIGN = 256;

// What is kept of an attribute. Nothing of what holds typed text, code or secrets; of most others only the name.
const NEVER = /^(value|style|srcdoc|nonce|on.*)$/;
const ADDRESS = /^(href|src|action)$/;
const CLEAR =
  /^(id|class|name|type|role|method|for|title|alt|rel|target|placeholder|lang|dir|tabindex|disabled|checked|required|open|hidden|(aria|data)-.*)$/;
const isClear = (name: string): boolean => CLEAR.test(name) || ADDRESS.test(name);

// Only these have a state of their own; of all others a browser knows `:read-only` alone.
const FIELD = /^(input|textarea|select|button|option|optgroup|fieldset)$|-/;
const EDITED = /^(input|textarea)$/;

// Tag, state, names, and a value for each name (null: only the name is kept).
export type Descriptor = readonly [tag: string, state: number, names: readonly string[], values: readonly (string | null)[]];

export const describe = (element: Element, isMasked: boolean, isEditable: boolean): Descriptor => {
  const tag = localName(element);
  const names: string[] = [];
  const values: (string | null)[] = [];
  let state = (document.compatMode === "BackCompat" ? QUIRKS : 0) | (NAMESPACES[namespaceOf(element)!] ?? FOREIGN);
  for (const name of attributeNames(element)) {
    if (NEVER.test(name)) continue;
    names.push(name);
    const isKept = isMasked ? name === "id" || name === "class" : isClear(name);
    // One character more than will be looked at tells that there was more.
    values.push(isKept ? attribute(element, name)!.slice(0, LOOK + 1) : null);
    if (name === "open") state |= OPEN;
    if (name === "contenteditable") isEditable = true;
  }
  if (FIELD.test(tag)) {
    if (matches(element, ":checked")) state |= CHECKED;
    if (matches(element, ":disabled")) state |= DISABLED;
    if (matches(element, ":required")) state |= REQUIRED;
  }
  if (!(isEditable || EDITED.test(tag)) || matches(element, ":read-only")) state |= READ_ONLY;
  return [tag, state, names, values];
};

// The longest value that is kept.
const LIMITS: Record<string, number> = { id: 200, class: 2_000 };
const LIMIT = 200;
const DEFAULTS = [, null, null, {}, [], 0, []];

// As wire.md has it: trailing defaults are left out.
export const writeDescriptor = ([tag, state, names, values]: Descriptor): unknown[] => {
  const clear: Record<string, string> = {};
  const others: string[] = [];
  const marks: string[] = [];
  names.forEach((name, place) => {
    const value = values[place];
    if (value == null) {
      others.push(name.slice(0, LIMIT));
      return;
    }
    clear[name] = cut(ADDRESS.test(name) ? address(value) : value, LIMITS[name] ?? LIMIT);
    if (clear[name] !== value) marks.push(name);
  });
  const { id = null, class: classes = null, ...rest } = clear;
  return trimmed([tag, id, classes, rest, others.sort(), state, marks], DEFAULTS);
};
