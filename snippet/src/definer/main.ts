// The definer: a page that Expost opened is pointed at. It comes only into a window that has this name and an opener, or whose
// address brings a token. It shows nothing until the opener has answered, and answers to one origin alone: the one we came
// from, or the one the tag names.
import type { Core } from "../more/core";
import { queue } from "../stub";
import { greet, type Ask, type Refusal } from "./channel";
import { define } from "./definer";
import { trade } from "./grant";

export const startDefiner = ({ ui, key, also = "" }: Core["tag"], token?: string): void => {
  const origin = new URL(ui ?? import.meta.url).origin;
  let end: (() => void) | undefined;
  // Expost has answered, so whoever points here is of the site's own.
  const mark = (): unknown => queue().push([performance.now(), ["internal"]]);
  const start = (ask: Ask, site: string): void => {
    mark();
    end?.();
    end = define(ask, site, also);
  };
  const begin = (): void => greet(window.opener as Window, origin, key, start);
  if (token) {
    trade(token, origin, key).then(
      ({ ask, site }) => {
        mark();
        define(ask, site, also, true);
      },
      // Whoever came with a token waits for us, so they are told why nothing can be asked.
      (refusal: Refusal) => define(() => Promise.reject(refusal), "", also, true, refusal),
    );
    return;
  }
  begin();
  // A page that comes back from the browser's memory has a port that nobody holds.
  addEventListener("pageshow", ({ persisted }) => persisted && begin());
};
