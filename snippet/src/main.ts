// Starts capture. Calls and clicks that came before us stand in a queue (stub.ts); from now on whoever queues talks to us.
import { resume } from "./delivery";
import { enterPage, hidePage, leavePage, showPage } from "./visit";
import { sendOff, tellView, viewAgain } from "./page";
import { enter } from "./consent";
import { queue } from "./stub";
import { consent, isTag, key } from "./tag";
import { calls } from "./calls";
import { isWaitedFor, loadMore } from "./more";
import { listen } from "./listeners";
import { guarded } from "./guard";
import { tenth } from "./clock";
import { followNavigation } from "./navigation";

const begin = guarded((t?: number): void => {
  const q = queue();
  // What was said about consent before we came, its last word, holds from the start.
  let said = [consent];
  const early = q.splice(0).filter(([, [name, ...given]]) => name !== "consent" || void (said = given));
  enter(...(said as [string]));
  enterPage(t);
  tellView(t);
  const take = guarded(([t, [name, ...given]]: (typeof q)[number]) => calls[name]?.(tenth(t), ...given));
  early.forEach(take);
  delete calls.click; // from now on we hear for ourselves
  q.push = take as any;

  listen();
  addEventListener("visibilitychange", turn, true);
  addEventListener("pagehide", leave, true);
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
  addEventListener("pageshow", comeBack, true); // not of its load, only from the browser's memory
});

const comeBack = guarded((): void => {
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
