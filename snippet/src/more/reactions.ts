// What a page does that somebody could notice, and how we come to know. Nothing of this listens unless a click waits.
import { guarded } from "./guard";

export type Reaction = "mutation" | "navigation" | "scroll" | "request" | "field" | "focus" | "toggle" | "media" | "copy";

const EVENTS: Record<string, Reaction> = {
  scroll: "scroll",
  popstate: "navigation",
  hashchange: "navigation",
  input: "field",
  change: "field",
  invalid: "field",
  reset: "field",
  focusin: "focus",
  toggle: "toggle",
  play: "media",
  pause: "media",
  fullscreenchange: "media",
  copy: "copy",
};
const CHANGES = { subtree: true, childList: true, attributes: true, characterData: true };
const UNSEEN = /^(href|action)$/; // nobody sees such a change; we make some ourselves (links.ts)
const OURS = /\/e\?k=/; // what goes to the collector
const ASKED = /^(fetch|xmlhttprequest)$/; // pictures and the like come with mutations, or only count visitors

interface Navigate extends Event {
  readonly destination: { readonly url: string; readonly sameDocument: boolean };
}

type Noticed = (reaction: Reaction, at: number) => void;

export const watchReactions = (noticed: Noticed, left: () => void, acted: () => void) => {
  const notice = (reaction: Reaction): void => noticed(reaction, performance.now());
  const hear = guarded(({ type }: Event) => notice(EVENTS[type]!));
  // What becomes of these is known when the page has heard them.
  const submitted = guarded((event: Event) => setTimeout(guarded(() => event.defaultPrevented || notice("navigation"))));
  // Another window, another tab: whoever is there does not see what we do.
  const turned = guarded(({ type, target }: Event) => {
    if (type === "blur" ? target === window : document.visibilityState === "hidden") left();
  });
  // Not all browsers know it; it is the only one to tell of a page that is slow to come.
  const navigated = guarded((event: Event) => {
    const { destination } = event as Navigate;
    if (!destination.sameDocument || destination.url !== location.href) notice("navigation");
  });
  const navigation = (window as { navigation?: EventTarget }).navigation;

  const mutations = new MutationObserver(
    guarded((records: MutationRecord[]) => {
      if (records.some(({ attributeName }) => !UNSEEN.test(attributeName!))) notice("mutation");
    }),
  );
  const requests = new PerformanceObserver(
    guarded((list: PerformanceObserverEntryList) => {
      for (const { name, startTime, initiatorType } of list.getEntries() as PerformanceResourceTiming[]) {
        if (ASKED.test(initiatorType) && !OURS.test(name)) noticed("request", startTime);
      }
    }),
  );

  const listeners: [EventTarget | undefined, readonly string[], (event: Event) => void][] = [
    [window, Object.keys(EVENTS), hear],
    [window, ["submit"], submitted],
    [window, ["blur", "visibilitychange", "pagehide"], turned],
    [navigation, ["navigate"], navigated],
    // What comes of the visitor's next act is no reaction to the last one.
    [window, ["pointerdown", "keydown"], guarded(({ isTrusted }: Event) => isTrusted && acted())],
  ];
  const each = (change: "addEventListener" | "removeEventListener"): void => {
    for (const [target, types, listener] of listeners) for (const type of types) target?.[change](type, listener, true);
  };

  return {
    // A second time it adds the trees that this event went through.
    start(event: Event): void {
      each("addEventListener");
      for (const node of [document, ...(event.composedPath() as Node[])]) {
        if (node.nodeType === 9 || node.nodeType === 11) mutations.observe(node, CHANGES);
      }
      requests.observe({ type: "resource" });
    },
    // From now on requests alone.
    rest(): void {
      each("removeEventListener");
      mutations.disconnect();
    },
    stop(): void {
      requests.disconnect();
    },
  };
};

const PRESS_MS = 1_000;
// Pressed states of a button come and go whatever it does, so not every attribute counts.
const OPENED = { subtree: true, childList: true, attributeFilter: ["open", "hidden", "aria-expanded"] };

// Menus of some kinds open when a button goes down, before there is a click. The answer says whether one may have.
export const watchPress = (): (() => boolean) => {
  let hasOpened = false;
  let timer: number | undefined;
  const observer = new MutationObserver(() => {
    hasOpened = true;
    observer.disconnect();
  });
  const end = (): void => {
    clearTimeout(timer);
    observer.disconnect();
  };
  const begin = guarded((event: Event): void => {
    end();
    hasOpened = false;
    for (const node of [document, ...(event.composedPath() as Node[])]) if (node.nodeType === 11 || node === document) observer.observe(node, OPENED);
    timer = setTimeout(end, PRESS_MS);
  });
  addEventListener("pointerdown", begin, true);
  addEventListener("pointercancel", end, true);
  return () => {
    end();
    const answer = hasOpened;
    hasOpened = false;
    return answer;
  };
};
