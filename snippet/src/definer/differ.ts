// The server knows the past, the browser knows the page. Where the two do not agree the panel says so.
import type { Past, Suggested } from "./channel";
import { counted } from "./past";

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

// What stands on the page now, and what of this page the past knows: only what somebody used. Each says which it is, and where the
// two differ, why.
export const placed = (now: number, suggested: Suggested | undefined): string[] => {
  const said = [`On this page now: ${counted(now, "element")}.`];
  if (!suggested?.of) return said;
  const { used, of } = suggested;
  said.push(`In the past of this page: ${used.toLocaleString("en")} of ${counted(of, "such thing")} that ${of === 1 ? "was" : "were"} used.`);
  if (now && !used) said.push("They differ: what stands here now was not used yet, or it was captured in other words, as before a change of the page.");
  else if (now > used) said.push("They differ: things that are alike count as one in the past, and what nobody used has none.");
  else if (now < used) said.push("They differ: the rest stood here at other times, in another list or state of the page.");
  return said;
};
