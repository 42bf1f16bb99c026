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
import { enterPage, hidePage, leavePage, showPage } from "./visit";

const begin = guarded((t?: number): void => {
  const q = queue();
  // Consent that was given before we came holds from the start.
  enter(q.reduce((mode, [, [name, given]]) => (name === "consent" ? given : mode), consent));
  enterPage(t);
  tellView(t);
  const take = guarded(([t, given]: (typeof q)[number]) => call(tenth(t), ...(Array.from(given) as [string])));
  q.splice(0).forEach(take);
  hearOurselves();
  q.push = (entry) => take(entry) as any;

  listen();
  document.addEventListener("visibilitychange", turn, true);
  addEventListener("pagehide", leave, true);
  addEventListener("pageshow", comeBack, true);
  followNavigation();
});

// The last that some browsers tell is that the page is hidden, so whatever there is goes then.
const turn = guarded((): void => {
  if (document.visibilityState === "hidden") {
    hidePage();
    sendOff();
  } else {
    showPage();
    resume();
  }
});

const leave = guarded((): void => {
  leavePage();
  sendOff();
});

const comeBack = guarded(({ persisted }: PageTransitionEvent): void => {
  if (!persisted) return;
  enterPage();
  viewAgain();
});

const sendOff = (): void => {
  flush();
  beacon();
};

// Not twice in a page. A page that is being prerendered may never be seen.
if (key && queue().push === [].push) {
  if ((document as { prerendering?: boolean }).prerendering) {
    document.addEventListener("prerenderingchange", () => begin(), { once: true });
  } else begin(0);
}
