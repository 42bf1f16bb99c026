// The calls a site makes: `expost("track", name, properties)` and its siblings. What a site hands over is read at once,
// so that it may change its objects afterwards, and cut to what the collector takes.
import type { Properties } from "./batch";
import { enter, isFirst, isOff, remember, reset, setUser } from "./consent";
import { withdraw } from "./delivery";
import { captureAction } from "./listeners";
import { capture, flush, setProperties, tellView } from "./page";

export const calls: Record<string, (t: number, ...given: any[]) => void> = {
  track(t, name, properties) {
    capture("custom", t, { name: short(name), properties: copy(properties) });
  },
  identify(t, id, traits) {
    const user = short(id);
    if (!user || isOff()) return;
    setUser(user);
    capture("identify", t, { user, traits: copy(traits) });
  },
  group(t, type, id, traits) {
    capture("group", t, { group_type: short(type), group: short(id), traits: copy(traits) });
  },
  set(_, properties) {
    setProperties(copy(properties));
  },
  exposure(t, exposure) {
    const fields = ["flag", "variation", "flag_version", "rule"].map((name) => [name, short(exposure[name])]);
    if (!isOff() && isFirst(`${fields.slice(0, 3)}`)) capture("exposure", t, Object.fromEntries(fields));
  },
  // The next person at this browser: what was known of the last one is forgotten.
  reset(t) {
    capture("reset", t);
    flush();
    setProperties();
    reset();
  },
  // Somebody of the site's own.
  internal(_, is = true) {
    flush();
    remember((browser) => ((browser.internal = is), true));
  },
  consent(_, mode, version) {
    flush();
    enter(mode, version);
    if (isOff()) withdraw();
    tellView();
  },
  // What the stub heard before we did.
  click(t, target, x, y, isTrusted) {
    captureAction("click", target, x, y, isTrusted, t);
  },
};

const short = (value: any): string | undefined => value?.toString().slice(0, 200);

const copy = (value: unknown): Properties | undefined => {
  try {
    return Object(value) === value ? JSON.parse(JSON.stringify(value)) : undefined;
  } catch {
    return; // cyclic: the event counts, its properties cannot be written
  }
};
