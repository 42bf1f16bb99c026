// What every adapter says in the end: this person was shown this variation. The snippet tells the collector once for each
// flag, variation and version in a session, so an adapter says it at every use.
import { queue } from "../stub";

export interface Exposure {
  flag: string;
  variation: unknown;
  flag_version?: unknown;
  rule?: unknown;
}

// A flag's value names the variation where the SDK has no name for it; an object does not.
export const named = (value: unknown, otherwise: unknown): unknown => (value && typeof value === "object" ? otherwise : value);

// Where the snippet is not there yet, the queue that it will read is made; where it is, it is the queue. On a server, or in
// a page that has something else of our name, nothing happens: what an SDK asks while it decides a flag must never fail.
export const expose = (exposure: Exposure): void => {
  try {
    queue().push([performance.now(), ["exposure", exposure]]);
  } catch {
    // No page.
  }
};
