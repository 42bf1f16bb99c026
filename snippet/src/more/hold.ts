// Events that wait until we know what became of them. They go back before everything is sent off, because the page is left
// or because the site says who this is or what the visitor allows: nothing goes later, or under another name, than it
// would have.
import type { Captured } from "../batch";
import { queue } from "../stub";
import type { Core } from "./core";
import { guarded } from "./guard";

const FLUSH_MS = 1_000;
const NAMING = /^(consent|reset|internal)$/;

export const holder = ({ waiting, flush, sendOff }: Core) => {
  const held = new Set<Captured>();
  let timer: number | undefined;

  const hold = (captured: Captured): void => {
    const place = waiting.indexOf(captured);
    if (place < 0) return;
    waiting.splice(place, 1);
    held.add(captured);
  };
  const release = (captured: Captured): void => {
    if (!held.delete(captured)) return;
    waiting.push(captured);
    waiting.sort((one, other) => one.seq - other.seq);
    timer ??= setTimeout(() => {
      timer = undefined;
      guarded(flush)();
    }, FLUSH_MS);
  };
  const releaseAll = (): void => held.forEach((captured) => release(captured));

  // The core hears both before us, and has sent off what it had.
  const leave = guarded(() => {
    if (!held.size) return;
    releaseAll();
    sendOff();
  });
  addEventListener("visibilitychange", () => document.visibilityState === "hidden" && leave(), true);
  addEventListener("pagehide", leave, true);
  const q = queue();
  const take = q.push;
  q.push = (...calls) => {
    if (calls.some(([, [name]]) => NAMING.test(name))) guarded(releaseAll)();
    return take(...calls);
  };

  return { hold, release, releaseAll };
};
