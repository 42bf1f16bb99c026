// What a page keeps to itself: `data-expost-ignore` (nothing that happens in it is an event) and `data-expost-mask` (no
// text and no attribute value of it leaves the page), on the element or any ancestor. Where the tag says that only listed
// text may leave, `data-expost-text` lists it in the same way.
import { hasAttribute } from "./native";

const IGNORE = "data-expost-ignore";
const MASK = "data-expost-mask";

export const isIgnored = (element: Element): boolean => hasAttribute(element, IGNORE);
export const isPrivate = (element: Element): boolean => hasAttribute(element, MASK) || isIgnored(element);
export const isListed = (element: Element): boolean => hasAttribute(element, "data-expost-text");
