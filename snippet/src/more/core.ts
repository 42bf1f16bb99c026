// What the core hands over, by name. It comes as a list, because names of properties are bytes in every page.
import type { Core as List } from "../more";

export const named = ([tag, capture, captureAction, waiting, flush, sendOff, leaving, remember, isFull, hosts, guarded]: List) => ({
  tag,
  capture,
  captureAction,
  waiting,
  flush,
  sendOff,
  leaving,
  remember,
  isFull,
  hosts,
  guarded,
});
export type Core = ReturnType<typeof named>;
