// The glass is over the page, so the wheel turns here and what is under it is moved by hand.
import { elementAt } from "./trees";
import { parentOf } from "./chain";

const LINE_PX = 16;

export const scrollAt = (event: WheelEvent, own: Element): void => {
  if (event.ctrlKey) return; // zooms
  event.preventDefault();
  const unit = event.deltaMode === 1 ? LINE_PX : event.deltaMode === 2 ? innerHeight : 1;
  const by = { left: event.deltaX * unit, top: event.deltaY * unit, behavior: "instant" as const };
  for (let element = elementAt(event.clientX, event.clientY, own) ?? null; element; element = parentOf(element)) {
    if (isScroller(element) && move(element, by)) return;
  }
  if (document.scrollingElement) move(document.scrollingElement, by);
};

const isScroller = (element: Element): boolean => {
  const { overflowX, overflowY } = getComputedStyle(element);
  return /auto|scroll/.test(overflowX + overflowY);
};

const move = (element: Element, by: ScrollToOptions): boolean => {
  const { scrollLeft, scrollTop } = element;
  element.scrollBy(by);
  return element.scrollLeft !== scrollLeft || element.scrollTop !== scrollTop;
};
