// The calls a site makes: `expost("track", name, properties)` and its siblings. What a site hands over is read at once,
// so that it may change its objects afterwards, and cut to what the collector takes.
import { enter, isFirst, isOff, reset, setUser } from "./consent";
import { withdraw } from "./delivery";
import { capture, flush, setProperties, tellView } from "./page";
import type { Properties } from "./batch";

type Call = (t: number, ...given: any[]) => void;

const calls: Record<string, Call> = {
  track(t, name, properties) {
    capture("custom", { name: short(name), properties: copy(properties) }, undefined, t);
  },
  identify(t, id, traits) {
    const user = short(id);
    if (!user) return;
    setUser(user);
    capture("identify", { user, traits: copy(traits) }, undefined, t);
  },
  group(t, type, id, traits) {
    capture("group", { group_type: short(type), group: short(id), traits: copy(traits) }, undefined, t);
  },
  set(_, properties) {
    setProperties(copy(properties));
  },
  exposure(t, { flag, variation, flag_version, rule }) {
    const fields = { flag: short(flag), variation: short(variation), flag_version: short(flag_version), rule: short(rule) };
    if (!isOff() && isFirst(fields.flag, fields.variation, fields.flag_version)) capture("exposure", fields, undefined, t);
  },
  // The next person at this browser: what was known of the last one is forgotten.
  reset(t) {
    capture("reset", {}, undefined, t);
    flush();
    setProperties();
    reset();
  },
  consent(_, mode) {
    flush();
    enter(mode);
    if (isOff()) withdraw();
    tellView();
  },
};

const short = (value: unknown): string | undefined => (value == null ? undefined : String(value).slice(0, 200));

const copy = (value: unknown): Properties | undefined => {
  try {
    return value && typeof value === "object" ? JSON.parse(JSON.stringify(value)) : undefined;
  } catch {
    return undefined; // cyclic: the event counts, its properties cannot be written
  }
};

export const call = (t: number, name: string, ...given: unknown[]): void => {
  if (Object.hasOwn(calls, name)) calls[name]!(t, ...given);
};
