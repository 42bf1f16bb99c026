// Starts capture. Calls and clicks that came before us stand in a queue (stub.ts); from now on whoever queues talks to us.
import { queue } from "./stub";
import { enter } from "./consent";
import { listen } from "./listeners";
import { sendOff, tellView, viewAgain } from "./page";
import { consent, isTag, key } from "./tag";
import { guarded } from "./guard";
import { followNavigation } from "./navigation";
import { resume } from "./delivery";
import { calls } from "./calls";
import { tenth } from "./clock";
import { isWaitedFor, loadMore } from "./more";
import { enterPage, hidePage, leavePage, showPage } from "./visit";

const begin = guarded((t?: number): void => {
  const q = queue();
  // Consent that was given before we came holds from the start.
  enter(...(q.reduce((before, [, [name, ...given]]) => (name === "consent" ? given : before), [consent]) as [string]));
  enterPage(t);
  tellView(t);
  const take = guarded(([t, [name, ...given]]: (typeof q)[number]) => calls[name]?.(tenth(t), ...given));
  q.splice(0).forEach(take);
  delete calls.click; // from now on we hear for ourselves
  q.push = take as any;

  listen();
  addEventListener("visibilitychange", turn, true);
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

// Not twice in a page. A page that is being prerendered may never be seen.
const load = async (): Promise<void> => {
  if (isWaitedFor) await loadMore();
  if ((document as { prerendering?: boolean }).prerendering === true) addEventListener("prerenderingchange", () => begin(), true);
  else begin(0);
};
if (isTag && key && queue().push === [].push) load();
