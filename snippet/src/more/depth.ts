// How much of the view's height was to be seen, at most: from its top to the lower edge of the window, in percent. It is
// read when the page has scrolled, and once when a view has come to rest; never when the page is left.
import type { Core } from "./core";
import { guarded } from "./guard";

const REST_MS = 500; // after an action that may have led to another view

// A page that paints nothing may never be idle. A view that is gone by then is not looked at: where the window stands was
// its place and not that of the next view.
const whenIdle = (work: () => void): unknown => {
  const { href } = location;
  const look = (): unknown => href === location.href && work();
  return "requestIdleCallback" in window ? requestIdleCallback(look, { timeout: REST_MS }) : setTimeout(look);
};

export const tellDepth = ({ leaving }: Core): void => {
  let address = ""; // of the view
  let depth = 0;

  const read = guarded((): void => {
    const { href } = location;
    if (href !== address) depth = 0;
    address = href;
    const { scrollHeight } = document.documentElement;
    depth = Math.max(depth, Math.min(100, Math.round(((scrollY + innerHeight) / scrollHeight) * 100)));
  });
  const isNew = (): boolean => location.href !== address;
  const readNew = (): unknown => isNew() && whenIdle(read);

  addEventListener("scroll", guarded(({ target }: Event) => target === document && read()), { capture: true, passive: true });
  addEventListener("click", () => setTimeout(readNew, REST_MS), true);
  // Shown again from the browser's memory it is a new visit.
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    address = "";
    whenIdle(read);
  }, true);
  whenIdle(read);

  // A view that nobody has looked at yet has none.
  Object.defineProperty(leaving, "scroll_depth", { enumerable: true, get: () => (isNew() ? undefined : depth) });
};
