// An action is what a person did, once it was captured, by the core or by us. Features are told of each.
import type { Captured } from "../batch";
import type { Core } from "./core";
import { guarded } from "./guard";

export type Action = (captured: Captured, event: Event) => void;

export const actionsOf = ({ waiting }: Core) => {
  const features: Action[] = [];
  const known = new WeakSet(waiting);
  // What was captured of this event, if anything was, is the last that waits.
  const tell = (event: Event): void => {
    const captured = waiting[waiting.length - 1];
    if (captured?.type !== event.type || known.has(captured)) return;
    known.add(captured);
    for (const act of features) guarded(act)(captured, event);
  };
  // The core came first, so it has captured it by now.
  for (const type of ["click", "auxclick"]) addEventListener(type, tell, true);
  return { features, tell };
};
