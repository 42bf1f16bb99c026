// What people mean when they point at something inside it, and what they would call it.
import { mask } from "../mask";
import { isInteractive, textOf } from "../text";
import { chainOf } from "./chain";

const CONTROL =
  "a,button,summary,label,input,select,textarea,option,form,[role=button],[role=link],[role=tab],[role=menuitem],[role=checkbox],[role=radio],[role=switch],[role=option]";
const TYPED = "textarea,select,input:not([type=button],[type=submit],[type=reset],[type=image])";
const NAME_LENGTH = 60;
const VERBS: Record<string, string> = { click: "Clicked", change: "Changed", submit: "Submitted" };

const MOST_WORDS = 200; // more than that is cut by capture

export const isControl = (element: Element): boolean => element.matches(CONTROL);

// The nearest control from the target outwards, else the target.
export const levelMeant = (chain: readonly Element[]): number => Math.max(0, chain.findIndex(isControl));

// The type of event that is asked about first.
export const kindOf = (element: Element): string => (element.matches("form") ? "submit" : element.matches(TYPED) ? "change" : "click");

export const suggestName = (element: Element, kind: string): string => {
  const words = wordsOf(element).replace(/\s+/g, " ").trim();
  const said = words.length > NAME_LENGTH ? "" : words;
  return `${VERBS[kind]} ${said || element.id || element.classList[0] || element.localName}`;
};

const wordsOf = (element: Element): string => {
  if (element.closest("[data-expost-mask],[data-expost-ignore]")) return "";
  const own = element.getAttribute("aria-label") ?? element.getAttribute("title") ?? element.getAttribute("alt");
  if (own) return own;
  if (element.matches(TYPED)) {
    const [label] = (element as HTMLInputElement).labels ?? [];
    return label?.textContent || (element.getAttribute("name") ?? "");
  }
  return isControl(element) && !element.matches("form") ? ((element as HTMLElement).innerText ?? "") : "";
};

// The words that capture keeps of what happens on an element: those of the nearest control around it. None where they are not whole.
export const labelOf = (element: Element): string => {
  const control = chainOf(element).find(isInteractive);
  const text = (control && textOf(control)?.whole) || "";
  return text.length > MOST_WORDS || mask(text) !== text ? "" : text;
};

export const describe = (element: Element): string =>
  element.localName + (element.id ? `#${element.id}` : "") + [...element.classList].slice(0, 2).map((name) => `.${name}`).join("");
