// What we draw on: a frame without an address, in a closed shadow root, in the browser's top layer. No style of the page gets
// in, and nothing that happens in the frame is an event of the page. It needs no leave of a policy either: nothing is loaded.
import { HOST } from "./style";

const LOOK_MS = 400;

export interface Surface {
  readonly host: Element;
  cover(isCovering: boolean): void;
  raise(): void;
  remove(): void;
}

// `dress` is called for each new document: a browser makes another one whenever the frame moves to another place.
export const surface = (dress: (document: Document) => void): Surface => {
  const host = document.createElement("div");
  host.setAttribute("data-expost-ignore", "");
  host.setAttribute("popover", "manual");
  const root = host.attachShadow({ mode: "closed" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(HOST);
  root.adoptedStyleSheets = [sheet];
  const frame = document.createElement("iframe");
  frame.title = "Expost: point at what you mean";
  frame.addEventListener("load", () => frame.contentDocument && dress(frame.contentDocument));
  root.append(frame);

  const raise = (): void => {
    // Beside a modal dialog everything is inert, so we go into it.
    const modal = [...document.querySelectorAll("dialog:modal")].pop();
    const place = modal ?? document.documentElement;
    if (host.parentNode !== place) place.append(host);
    if (host.matches(":popover-open")) host.hidePopover();
    host.showPopover?.();
  };
  // Pages take away what they do not know, and put other things on top.
  const look = (): void => {
    const { left, top, width, height } = frame.getBoundingClientRect();
    const isOnTop = host.isConnected && document.elementFromPoint(left + width - 2, top + height - 2) === host;
    if (!isOnTop && !document.hidden) raise();
  };
  raise();
  const timer = setInterval(look, LOOK_MS);

  return {
    host,
    raise,
    cover: (isCovering) => void frame.toggleAttribute("data-small", !isCovering),
    remove(): void {
      clearInterval(timer);
      host.remove();
    },
  };
};
