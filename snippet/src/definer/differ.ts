// The server knows the past, the browser knows the page. Where the two do not agree the panel says so.
import type { Past } from "./channel";

interface Known {
  selector: string;
  error: unknown;
  matched: readonly Element[];
  mine: Element | undefined;
  past: Past | undefined;
  isInFrame: boolean;
  also: string;
}

export const differences = ({ selector, error, matched, mine, past, isInFrame, also }: Known): string[] => {
  const found: string[] = [];
  if (!selector) return found;
  if (error) found.push("This browser does not read the selector, so nothing is outlined.");
  else if (mine && !matched.includes(mine)) found.push("On this page the selector does not match what you pointed at.");
  if (isInFrame && !/(^|\s)frames(\s|$)/.test(also)) {
    found.push("This stands in a frame. What happens in it is captured where the tag's data-also says frames, or the frame has a tag of its own.");
  }
  if (!past) return found;
  if (matched.length && !past.events) {
    found.push(
      past.unknown
        ? "The page and the past differ: it matches here, and of the past it is unknown, because what the selector asks for was cut, masked or not captured."
        : "The page and the past differ: it matches here, and no past event matches. It is new, or nobody did it yet.",
    );
  } else if (!matched.length && !error && past.events) found.push("The page and the past differ: it has a past, and nothing on this page matches now.");
  if (mine?.closest("[data-expost-ignore]")) found.push("Nothing that happens here is captured: data-expost-ignore.");
  return found;
};
