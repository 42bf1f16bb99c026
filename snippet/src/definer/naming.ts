// What the page knows of an element's name: the words that people see or hear of it, and the heading above it. The server makes a
// name of them, with what it knows of the other names.
import { mask } from "../mask";
import { isField, labelOf } from "./control";
import { parentOf } from "./chain";

const HEADINGS = "h1,h2,h3,h4,h5,h6,legend,caption,[role=heading]";
const LONGEST = 100;
const VERBS: Record<string, string> = { click: "Clicked", change: "Changed", submit: "Submitted" };

const oneLine = (text: string | null | undefined): string => (text ?? "").replace(/\s+/g, " ").trim();
const shown = (text: string): string => (text.length <= LONGEST && mask(text) === text ? text : "");
const isPrivate = (element: Element): boolean => !!element.closest("[data-expost-mask],[data-expost-ignore]");

// The words on it or said of it.
export const wordsOf = (element: Element): string => {
  if (isPrivate(element)) return "";
  const { ownerDocument } = element;
  const named = (element.getAttribute("aria-labelledby") ?? "").split(/\s+/).map((id) => oneLine((id && ownerDocument.getElementById(id)?.textContent) || ""));
  const labels = isField(element) ? [...((element as HTMLInputElement).labels ?? [])].map((label) => oneLine(label.textContent)) : [];
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
    if (heading) return isPrivate(heading) ? "" : shown(oneLine(heading.textContent));
  }
  return "";
};

// Until the server has said a better one.
export const plainName = (element: Element, kind: string): string => `${VERBS[kind]} ${wordsOf(element) || element.localName}`;
