// Single-page apps navigate without loading: through `history`, which says nothing, so its two methods are wrapped. They
// do what they did and give what they gave.
import { guarded } from "./guard";
import { noticeAddress } from "./page";

const notice = guarded(noticeAddress);

export const followNavigation = (): void => {
  addEventListener("popstate", notice, true); // links to a part of the page, too
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    history[name] = function (this: History, ...given) {
      const result = original.apply(this, given);
      notice();
      return result;
    };
  }
};
