// The link that an event happened in, through open shadow roots.
import { matches } from "../native";

const LINK = "a[href],area[href]";

export const linkOf = (event: Event): Element | undefined =>
  (event.composedPath() as Element[]).find((node) => node.nodeType === 1 && matches(node, LINK));
