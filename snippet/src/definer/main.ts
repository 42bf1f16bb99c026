// The definer: a page that Expost opened is pointed at. It comes only into a window that has this name and an opener, shows
// nothing until the opener has answered, and answers to one origin alone: the one we came from, or the one the tag names.
import type { Core } from "../more/core";
import { greet } from "./channel";
import { define } from "./definer";

export const startDefiner = ({ ui, also = "" }: Core["tag"]): void => {
  const opened = window.opener as Window | null;
  if (!opened) return;
  const origin = new URL(ui ?? import.meta.url).origin;
  let end: (() => void) | undefined;
  const begin = (): void => {
    greet(opened, origin, (ask, site) => {
      end?.();
      end = define(ask, site, also);
    });
  };
  begin();
  // A page that comes back from the browser's memory has a port that nobody holds.
  addEventListener("pageshow", ({ persisted }) => persisted && begin());
};
