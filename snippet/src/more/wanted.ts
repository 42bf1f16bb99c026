// What the core makes of consent (consent.ts there): a mode that nobody knows is taken for a refusal.
import { isRefusedBy } from "../refusal";
import { queue } from "../stub";

export type Mode = "off" | "cookieless" | "full";

export const modeOf = (tag: DOMStringMap, said: unknown): Mode =>
  !isRefusedBy(tag) && (said === "full" || said === "cookieless") ? said : "off";

// In which it will begin, by the tag or by calls that wait.
export const modeAtFirst = (tag: DOMStringMap): Mode =>
  modeOf(tag, queue().reduce((mode, [, [name, given]]) => (name === "consent" ? given : mode), tag.consent ?? "cookieless"));
