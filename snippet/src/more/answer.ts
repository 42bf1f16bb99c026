// The answer that the browser itself gives to a click, whatever the page does: it follows a link, also into a new tab, a
// download or a mail; it puts the caret into a field; it moves a film on. Nothing where it gives none.
import { attribute, localName, matches } from "../native";
import { linkOf } from "./link";
import type { Reaction } from "./reactions";

const FIELD =
  "input:enabled:not([type=button],[type=submit],[type=reset],[type=image]),select:enabled,textarea:enabled,option,[contenteditable]:not([contenteditable=false])";
const MEDIA = "video[controls],audio[controls]";

const isField = (element: Element): boolean => {
  if (matches(element, FIELD)) return true;
  const { control } = element as HTMLLabelElement;
  return localName(element) === "label" && !!control && matches(control, FIELD);
};

const leadsAway = (link: Element): boolean => {
  const { href, protocol } = new URL(attribute(link, "href")!, link.baseURI);
  const [page] = location.href.split("#");
  return protocol !== "javascript:" && !(href.includes("#") && href.split("#")[0] === page);
};

// To be asked again when the page has heard the event.
export const answerOf = (event: Event): (() => Reaction | undefined) => {
  const path = (event.composedPath() as Node[]).filter((node): node is Element => node.nodeType === 1);
  if (path.some(isField) || document.designMode === "on") return () => "field";
  if (path.some((element) => matches(element, MEDIA))) return () => "media";
  const link = linkOf(event);
  return () => (link && !event.defaultPrevented && leadsAway(link) ? "navigation" : undefined);
};
