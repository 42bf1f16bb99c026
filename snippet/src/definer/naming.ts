// What the page knows of an element's name: the words that people see or hear of it, and the heading above it. The server makes a
// name of them, with what it knows of the other names.
import { mask } from "../mask";
import { isSilent, textOf } from "../text";
import { chainOf, isWithheld, parentOf } from "./chain";
import { isField, labelOf } from "./control";

const HEADINGS = "h1,h2,h3,h4,h5,h6,legend,caption,[role=heading]";
const LONGEST = 100;
const VERBS: Record<string, string> = { click: "Clicked", change: "Changed", submit: "Submitted" };

const shown = (text: string): string => (text.length <= LONGEST && mask(text) === text ? text : "");

// What capture would keep of an element's text: nothing where part of it is masked, or was typed.
const saidBy = (element: Element | null): string =>
  !element || isWithheld(element) || chainOf(element).some(isSilent) ? "" : (textOf(element)?.whole ?? "");

// The words on it or said of it.
export const wordsOf = (element: Element): string => {
  if (isWithheld(element)) return "";
  const { ownerDocument } = element;
  const named = (element.getAttribute("aria-labelledby") ?? "").split(/\s+/).map((id) => saidBy(ownerDocument.getElementById(id)));
  const labels = isField(element) ? [...((element as HTMLInputElement).labels ?? [])].map(saidBy) : [];
  const [first = ""] = [...labels, named.filter(Boolean).join(" "), element.matches("form") ? "" : labelOf(element)].filter(Boolean);
  return shown(first);
};

// The nearest heading above it: of the smallest part of the page around it that has one before it.
export const headingOf = (element: Element): string => {
  for (let around = parentOf(element); around; around = parentOf(around)) {
    const before = [...around.querySelectorAll(HEADINGS)].filter(
      (heading) => !heading.contains(element) && !element.contains(heading) && heading.compareDocumentPosition(element) & 4,
    );
    const heading = before.pop();
    if (heading) return shown(saidBy(heading));
  }
  return "";
};

// Until the server has said a better one.
export const plainName = (element: Element, kind: string): string => `${VERBS[kind]} ${wordsOf(element) || element.localName}`;
