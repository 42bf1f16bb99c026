// What people mean when they point at something inside it.
import { mask } from "../mask";
import { isInteractive, textOf } from "../text";
import { chainOf } from "./chain";

const CONTROL =
  "a,button,summary,label,input,select,textarea,option,form,[role=button],[role=link],[role=tab],[role=menuitem],[role=checkbox],[role=radio],[role=switch],[role=option]";
const TYPED = "textarea,select,input:not([type=button],[type=submit],[type=reset],[type=image])";
const MOST_WORDS = 200; // more than that is cut by capture

export const isField = (element: Element): boolean => element.matches(TYPED);
export const isControl = (element: Element): boolean => element.matches(CONTROL);

// The nearest control from the target outwards, else the target.
export const levelMeant = (chain: readonly Element[]): number => Math.max(0, chain.findIndex(isControl));

// The type of event that is asked about first.
export const kindOf = (element: Element): string => (element.matches("form") ? "submit" : isField(element) ? "change" : "click");

// The words that capture keeps of what happens on an element: those of the nearest control around it. None where they are not whole.
export const labelOf = (element: Element): string => {
  const control = chainOf(element).find(isInteractive);
  const text = (control && textOf(control)?.whole) || "";
  return text.length > MOST_WORDS || mask(text) !== text ? "" : text;
};

export const describe = (element: Element): string =>
  element.localName + (element.id ? `#${element.id}` : "") + [...element.classList].slice(0, 2).map((name) => `.${name}`).join("");
