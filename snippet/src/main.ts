// Starts capture. Calls and clicks that came before us stand in a queue (stub.ts); from now on whoever queues talks to us.
import { call, hearOurselves } from "./calls";
import { tenth } from "./clock";
import { enter } from "./consent";
import { beacon, resume } from "./delivery";
import { guarded } from "./guard";
import { listen } from "./listeners";
import { followNavigation } from "./navigation";
import { flush, tellView, viewAgain } from "./page";
import { queue } from "./stub";
import { consent, key } from "./tag";

const begin = guarded((t?: number): void => {
  const q = queue();
  // Consent that was given before we came holds from the start.
  enter(q.reduce((mode, [, [name, given]]) => (name === "consent" ? given : mode), consent));
  tellView(t);
  const take = guarded(([t, given]: (typeof q)[number]) => call(tenth(t), ...(Array.from(given) as [string])));
  q.splice(0).forEach(take);
  hearOurselves();
  q.push = (entry) => take(entry) as any;

  listen();
  document.addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? leave() : resume()), true);
  addEventListener("pagehide", leave, true);
  addEventListener("pageshow", guarded(({ persisted }: PageTransitionEvent) => persisted && viewAgain()), true);
  followNavigation();
});

const leave = guarded((): void => {
  flush();
  beacon();
});

// Not twice in a page. A page that is being prerendered may never be seen.
if (key && queue().push === [].push) {
  if ((document as { prerendering?: boolean }).prerendering) {
    document.addEventListener("prerenderingchange", () => begin(), { once: true });
  } else begin(0);
}
