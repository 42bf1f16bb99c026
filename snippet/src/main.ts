// Starts capture. Calls and clicks that came before us stand in a queue (stub.ts); from now on whoever queues talks to us.
import { call } from "./calls";
import { tenth } from "./clock";
import { enter } from "./consent";
import { beacon, resume } from "./delivery";
import { guarded } from "./guard";
import { listen, recordAction } from "./listeners";
import { followNavigation } from "./navigation";
import { flush, tellView, viewAgain } from "./page";
import { type Entry, stub } from "./stub";
import { collector, consent } from "./tag";

const take = guarded((entry: Entry): void => {
  const t = tenth(entry[0]);
  if (typeof entry[1] !== "string") call(t, ...(Array.from(entry[1]) as [string]));
  else recordAction(entry[1], entry[2]!, entry[3], entry[4], entry[5], t);
});

const begin = guarded((queue: Entry[], viewedAt?: number): void => {
  const isConsent = ([, given]: Entry): boolean => given[0] === "consent";
  enter(String(queue.filter(isConsent).at(-1)?.[1][1] ?? consent));
  tellView(viewedAt);
  queue.splice(0).forEach(take);
  // The stub goes on queueing clicks, which we hear ourselves.
  queue.push = (...entries) => {
    for (const entry of entries) if (typeof entry[1] !== "string") take(entry);
    return 0;
  };
  listen();
  addEventListener("pageshow", guarded(({ persisted }: PageTransitionEvent) => persisted && viewAgain()), true);
  addEventListener("pagehide", leave, true);
  document.addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? leave() : resume()), true);
  followNavigation();
});

const leave = guarded((): void => {
  flush();
  beacon();
});

guarded(() => {
  if (!collector) return;
  stub();
  const { q: queue } = window.expost!;
  if (Object.hasOwn(queue, "push")) return; // the tag stands twice in the page
  // A page that is being prerendered may never be seen.
  if ((document as { prerendering?: boolean }).prerendering) {
    document.addEventListener("prerenderingchange", () => begin(queue), { once: true });
  } else begin(queue, 0);
})();
