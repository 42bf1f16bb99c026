// Text that people click on. Never what they typed: fields and editable places are passed over.
import { attribute, isElement, matches } from "./native";
import { GAP, LOOK } from "./mask";
import { isPrivate } from "./privacy";

const BUTTON = "input:is([type=submit],[type=button],[type=reset])"; // its value is what it says, not what was typed
const ROLES = ",[role=button],[role=link],[role=menuitem],[role=tab],[role=option],[role=checkbox],[role=radio],[role=switch]";
const INTERACTIVE = "a,button,label,summary," + BUTTON + ROLES;
const SILENT = "script,style,noscript,template,textarea,select,datalist,[contenteditable]";

export const isSilent = (element: Element): boolean => matches(element, SILENT);
export const isInteractive = (element: Element): boolean => matches(element, INTERACTIVE);

// The words of NodeFilter.
const ELEMENTS_AND_TEXTS = 5;
const ACCEPT = 1;
const REJECT = 2;
const SKIP = 3;

const LENGTH = 400; // twice what is kept: masks look before the cut
const NODES = 500;

export interface Words {
  readonly text: string;
  readonly whole: string | undefined; // the same, unless something was left out
}

// What a button says, white space collapsed, as far as a bounded walk reads it.
export const textOf = (element: Element): Words | undefined => {
  // The attribute, because the property may be what was typed under another type.
  let text = (matches(element, BUTTON) && attribute(element, "value")) || "";
  let isWhole = true;
  let nodes = 0;
  const leaveOut = (): void => {
    text += GAP;
    isWhole = false;
  };
  const walker = document.createTreeWalker(element, ELEMENTS_AND_TEXTS, (node) => {
    if (++nodes > NODES || !isElement(node)) return ACCEPT;
    if (isPrivate(node)) leaveOut();
    else if (!isSilent(node)) return SKIP;
    return REJECT;
  });
  while (walker.nextNode()) {
    if (nodes > NODES || text.length > LENGTH) {
      leaveOut();
      break;
    }
    text += (walker.currentNode as Text).data.replace(/\s+/g, " ").slice(0, LOOK);
  }
  text = text.replace(/\s+/g, " ").trim();
  return text ? { text, whole: isWhole ? text : undefined } : undefined;
};
