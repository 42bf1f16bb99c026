// The second file: what only some sites ask for. A word in `data-also` names a feature, or else a type of event that is
// captured as clicks are. Each feature may want to know of every action that was captured.
import type { Core as List } from "../more";
import { actionsOf, type Action } from "./actions";
import { tellReactions } from "./clicks";
import { shareCookie } from "./cookie";
import { named, type Core } from "./core";
import { tellDepth } from "./depth";
import { tellDownloads } from "./downloads";
import { hearFrames } from "./frames";
import { guarded, useGuard } from "./guard";
import { arrive, leadOver } from "./links";
import { hearTypes, isType } from "./types";

declare const VITALS: string; // the name of the file with the library in it
declare const DEFINER: string; // and of the one for people who point at the page

const OPENED_BY_US = "expost-definer"; // the name that Expost gives a window
const TOKEN = /#expost-definer=(\w+)/; // what it writes into the address of a page that lost its opener and its name

const tellVitals = async ({ capture, sendOff }: Core): Promise<void> => {
  try {
    const { tellVitals } = await import(VITALS);
    guarded(tellVitals)(capture, sendOff, guarded);
  } catch {
    // It did not come.
  }
};

const loadDefiner = async ({ tag }: Core): Promise<void> => {
  // A page with a router of its own may have another hash by now.
  const token = TOKEN.exec(`${location.hash} ${performance.getEntriesByType("navigation")[0]?.name}`)?.[1];
  if (!token && (!opener || window.name !== OPENED_BY_US)) return;
  try {
    (await import(DEFINER)).startDefiner(tag, token);
  } catch {
    // Neither did this.
  }
};

const FEATURES: Record<string, (core: Core, features: Action[]) => void> = {
  "dead-clicks": tellReactions,
  "scroll-depth": tellDepth,
  downloads: tellDownloads,
  "web-vitals": tellVitals,
  definer: loadDefiner,
};
const FRAMES = "frames";

// Where the core waits for us it has heard and told nothing yet.
const whenBegun = (then: () => void): void => {
  if ((document as { prerendering?: boolean }).prerendering) {
    document.addEventListener("prerenderingchange", () => setTimeout(then), { once: true });
  } else setTimeout(then);
};

export const extend = (list: List): void => {
  const core = named(list);
  useGuard(core.guarded);
  guarded(arrive)(core.tag);
  const share = shareCookie(core);
  whenBegun(() => {
    add(core);
    share();
  });
};

const add = (core: Core): void => {
  const { also = "", domains = "" } = core.tag;
  const asked = new Set(also.split(/\s+/));
  const types = [...asked].filter((word) => !FEATURES[word] && word !== FRAMES && isType(word));
  const { features, tell } = actionsOf(core);
  const start = guarded((begin: () => void) => begin());

  start(() => hearTypes(core, types, tell)(window));
  for (const word of asked) start(() => FEATURES[word]?.(core, features));
  if (asked.has(FRAMES)) start(() => hearFrames(core, types, tell));
  start(() => leadOver(core, domains.split(/\s+/).filter(Boolean)));
};
