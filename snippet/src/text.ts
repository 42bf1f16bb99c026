// Text that people click on. Never what they typed: fields and editable places are passed over.
import { attribute, firstChild, hasAttribute, isElement, isText, localName, nextSibling } from "./native";
import { GAP, LOOK } from "./mask";
import { isPrivate } from "./privacy";

const LABELLED = /^(a|button|label|summary)$/;
const BUTTON = /^(submit|button|reset)$/i;
const ROLE = /^\s*(button|link|menuitem|tab|option|checkbox|radio|switch)\b/i;
const SILENT = /^(script|style|noscript|template|textarea|select|datalist|input)$/;
const LENGTH = 400; // twice what is kept: masks look before the cut
const NODES = 500;

const isButton = (element: Element): boolean =>
  localName(element) === "input" && BUTTON.test(attribute(element, "type") ?? "");

export const isInteractive = (element: Element): boolean =>
  LABELLED.test(localName(element)) || isButton(element) || ROLE.test(attribute(element, "role") ?? "");

export interface Text {
  readonly text: string;
  readonly isMarked: boolean;
}

// What a button says, white space collapsed, as far as a bounded walk reads it.
export const textOf = (element: Element): Text => {
  // The value of a button is its label. The attribute, because the property may be what was typed under another type.
  if (isButton(element)) return { text: tidy(attribute(element, "value") ?? ""), isMarked: false };
  let text = "";
  let nodes = 0;
  let isMarked = false;
  let isCut = false;
  const walk = (parent: Node): void => {
    for (let child = firstChild(parent); child && !isCut; child = nextSibling(child)) {
      isCut = text.length > LENGTH || ++nodes > NODES;
      if (isText(child)) {
        text += child.data.slice(0, LOOK).replace(/\s+/g, " ");
        isCut ||= child.data.length > LOOK;
      } else if (isElement(child) && !SILENT.test(localName(child)) && !hasAttribute(child, "contenteditable")) {
        if (isPrivate(child)) {
          text += GAP;
          isMarked = true;
        } else walk(child);
      }
    }
  };
  walk(element);
  return { text: tidy(text) + (isCut ? GAP : ""), isMarked: isMarked || isCut };
};

const tidy = (text: string): string => text.replace(/\s+/g, " ").trim();
