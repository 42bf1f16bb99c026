// Pointing at the page: what is pointed at, what it would be called, what was asked about it. One state, shown after each change.
import { chainOf, frameOf, levelOf } from "./chain";
import { Refusal, type Ask, type Candidate, type Past, type Suggested } from "./channel";
import { kindOf, labelOf, levelMeant } from "./control";
import { differences, placed } from "./differ";
import { headingOf, plainName, wordsOf } from "./naming";
import { panel, type Acts, type Panel, type View } from "./panel";
import { scrollAt } from "./scroll";
import { surface } from "./surface";
import { elementAt, matchesOf } from "./trees";
import { neighbour, nextControl } from "./walk";

const STILL_MS = 120; // a pointer that rests
const TYPING_MS = 350;

const asRefusal = (error: unknown): Refusal => (error instanceof Refusal ? error : new Refusal("The definer failed on this element.", String(error)));

export const define = (ask: Ask, site: string, also: string, isPreviewOnly = false, refusal?: Refusal): (() => void) => {
  const state: View = {
    mode: "pointing", site, isPreviewOnly, chain: [], level: 0, kind: "click", selector: "", text: "", words: "", matched: [], past: undefined, refusal,
    notes: [], isAsking: false, name: "", saved: undefined, isOnLeft: false, ranked: undefined,
    taken: undefined, here: [],
  };
  const known = new Map<string, Past>();
  let selectors: string[] = [];
  let isNamed = false; // by hand
  let isWritten = false; // the selector, by hand
  let isSaving = false;
  let turn = 0;
  let timer: number | undefined;
  let nameTurn = 0;
  let nameTimer: number | undefined;
  let shown: Panel | undefined;

  const show = (): void => shown?.show(state);
  const change = (next: Partial<View>): void => {
    Object.assign(state, next);
    show();
  };

  // Whatever is asked later makes an earlier answer worthless.
  const later = (work: (isLatest: () => boolean) => Promise<void>, wait: number): void => {
    clearTimeout(timer);
    const mine = ++turn;
    const isLatest = (): boolean => mine === turn;
    const run = async (): Promise<void> => {
      try {
        await work(isLatest);
      } catch (error) {
        if (isLatest()) change({ refusal: asRefusal(error), isAsking: false, past: undefined });
      }
    };
    timer = setTimeout(run, wait);
  };

  const look = (selector: string, past: Past | undefined): void => {
    const mine = state.chain[state.level];
    let matched: Element[] = [];
    let error: unknown;
    try {
      const { text } = state;
      matched = matchesOf(selector, drawn.host).filter((element) => !text || labelOf(element) === text);
    } catch (refused) {
      error = refused;
    }
    const isInFrame = !!mine && !!frameOf(mine.ownerDocument);
    const suggested = state.ranked?.find((each) => each.selector === selector && (each.text ?? "") === state.text);
    const here = selector && !error ? placed(matched.length, suggested) : [];
    const isAnother = selector !== state.selector;
    change({ selector, matched, past, here, notes: differences({ selector, error, matched, mine, past, isInFrame, also }) });
    // Whoever writes a name faster than the server finds a selector hears of it then.
    if (isAnother && isNamed && !isSaving && !state.saved) checkName();
  };
  const lookBack = async (isLatest: () => boolean): Promise<void> => {
    const { kind, selector, text } = state;
    const key = `${kind} ${selector} ${text}`;
    change({ isAsking: true });
    const past = known.get(key) ?? (await ask("past", { kind, selector, text }));
    known.set(key, past);
    if (!isLatest()) return;
    state.isAsking = false;
    look(selector, past);
    hand();
  };
  // Without a login nothing is saved here: Expost's own page shows what was chosen, and saves it.
  const hand = (): void => {
    const { mode, kind, selector, text, past } = state;
    if (isPreviewOnly && mode === "chosen" && selector && past) void ask("chosen", { kind, selector, text, name: named() }).catch(() => 0);
  };
  const named = (): string => (isNamed ? state.name : state.name || (state.chain[state.level] ? plainName(state.chain[state.level]!, state.kind) : ""));
  const candidate = (): Candidate => ({ kind: state.kind, selector: state.selector, text: state.text });

  // A name that tells something, and that nothing has yet, unless somebody wrote one.
  const offerName = async (): Promise<void> => {
    const { chain, level, kind } = state;
    const mine = chain[level]!;
    if (!isNamed) change({ name: plainName(mine, kind) });
    const around = chain.slice(level).map((element) => levelOf(element, drawn.host));
    const asked = { chain: around, kind, path: location.pathname, words: wordsOf(mine), heading: headingOf(mine) };
    const found = await ask("names", asked).catch(() => undefined);
    if (!found || isNamed || state.mode !== "chosen" || mine !== state.chain[state.level] || kind !== state.kind) return;
    change({ name: found.name });
    shown?.selectName();
    hand();
  };
  // Whether the name that somebody writes is taken is said before it is saved. With a token Expost's own page says it.
  const checkName = (): void => {
    clearTimeout(nameTimer);
    const mine = ++nameTurn;
    if (isPreviewOnly) return;
    const run = async (): Promise<void> => {
      const name = state.name.trim();
      const found = name && state.selector ? await ask("taken", { ...candidate(), name }).catch(() => undefined) : undefined;
      if (mine === nameTurn) change({ taken: found?.taken ?? undefined });
    };
    nameTimer = setTimeout(run, TYPING_MS);
  };

  const atLevel = (level: number): void => {
    state.level = level;
    state.kind = kindOf(state.chain[level]!);
    if (!isNamed) state.name = "";
    isWritten = false;
    change({ refusal: undefined, saved: undefined, ranked: undefined, taken: undefined, text: "", words: labelOf(state.chain[level]!) });
  };
  const askAbout = (wait: number): void =>
    later(async (isLatest) => {
      if (!selectors.length) {
        state.isAsking = true;
        const { chain } = state;
        const found = await ask("selectors", { chain: chain.map((element) => levelOf(element, drawn.host)) });
        if (!isLatest()) return;
        selectors = found;
      }
      look(selectors[state.level] ?? "", undefined);
      if (state.selector) await lookBack(isLatest);
    }, wait);

  // What is chosen is worth asking all of history about it: the best selector stands there unless somebody wrote another.
  const rank = async (): Promise<void> => {
    const { chain, level, kind, words } = state;
    const levels = chain.map((element) => levelOf(element, drawn.host));
    const { host, pathname } = location;
    const ranked = await ask("suggestions", { chain: levels, level, kind, page: host + pathname, text: words }).catch(() => []);
    if (state.mode !== "chosen" || chain !== state.chain || level !== state.level || kind !== state.kind) return;
    change({ ranked });
    const [best] = ranked;
    if (best && !isWritten && !state.saved && (best.selector !== state.selector || best.text)) take(best);
    else look(state.selector, state.past);
  };
  const take = ({ selector, text }: Suggested): void => {
    change({ refusal: undefined, saved: undefined, text: text ?? "" });
    look(selector, undefined);
    later(lookBack, 0);
  };

  const aim = (target: Element, isExact = false): void => {
    if (target === state.chain[0]) return;
    const chain = chainOf(target);
    selectors = [];
    isNamed = false;
    Object.assign(state, { chain, selector: "", matched: [], past: undefined, notes: [], here: [] });
    atLevel(isExact ? 0 : levelMeant(chain));
    askAbout(STILL_MS);
  };
  const walkTo = (target: Element | null | undefined): void => {
    if (!target) return;
    target.scrollIntoView({ block: "nearest", inline: "nearest" });
    aim(target, true);
  };

  const acts: Acts = {
    point(x, y) {
      if (state.mode !== "pointing") return;
      const target = elementAt(x, y, drawn.host);
      if (target) aim(target);
    },
    choose() {
      if (!state.chain.length || state.mode !== "pointing") return;
      change({ mode: "chosen" });
      hand();
      void rank();
      void offerName();
      const mine = state.chain[state.level]!;
      if (shown?.covers(mine)) acts.side();
      if (shown?.covers(mine)) mine.scrollIntoView({ block: state.isOnLeft ? "end" : "start" });
      shown?.focusName();
    },
    widen(level) {
      atLevel(level);
      change({ mode: "chosen" });
      askAbout(0);
      void rank();
      void offerName();
    },
    kind(kind) {
      state.kind = kind;
      if (!isNamed) state.name = "";
      void offerName();
      change({ saved: undefined, refusal: undefined, ranked: undefined });
      later(lookBack, 0);
      void rank();
    },
    take,
    selector(text) {
      isWritten = true;
      change({ refusal: undefined, saved: undefined, past: undefined });
      look(text.trim(), undefined);
      if (text.trim()) later(lookBack, TYPING_MS);
    },
    text(text) {
      isWritten = true;
      change({ refusal: undefined, saved: undefined, past: undefined, text: text.trim() });
      look(state.selector, undefined);
      if (state.selector) later(lookBack, TYPING_MS);
    },
    name(text) {
      isNamed = true;
      change({ name: text, refusal: undefined, taken: undefined });
      checkName();
    },
    async save() {
      const name = named().trim();
      const { selector } = state;
      // An answer on the past may still be under way; saving waits for none.
      if (!name || !selector || isSaving) return;
      isSaving = true;
      // What is asked about its name would find what is saved now.
      clearTimeout(nameTimer);
      nameTurn++;
      change({ isAsking: true, refusal: undefined, taken: undefined });
      try {
        change({ saved: await ask("save", { ...candidate(), name }), isAsking: false });
        shown?.focusPoint();
      } catch (error) {
        change({ refusal: asRefusal(error), isAsking: false });
      } finally {
        isSaving = false;
      }
    },
    again() {
      turn++;
      change({ mode: "pointing", chain: [], level: 0, selector: "", text: "", words: "", matched: [], past: undefined, notes: [], here: [], refusal: undefined, saved: undefined, taken: undefined, isAsking: false });
      nameTurn++;
      drawn.cover(true);
      shown?.focusGlass();
    },
    use() {
      acts.again();
      change({ mode: "using" });
      drawn.cover(false);
    },
    side: () => change({ isOnLeft: !state.isOnLeft }),
    close: () => end(),
    key(event) {
      if (event.key === "Escape") {
        event.preventDefault();
        if (state.mode === "chosen") acts.again();
        else if (state.mode === "pointing") acts.use();
        return;
      }
      if (state.mode !== "pointing" || !shown?.isGlass(event.target)) return;
      const [target] = state.chain;
      if (event.key === "Tab") walkTo(nextControl(target, event.shiftKey, drawn.host));
      else if (event.key === "Enter") acts.choose();
      else if (event.key.startsWith("Arrow")) walkTo(target ? neighbour(target, event.key, drawn.host) : document.body);
      else return;
      event.preventDefault();
    },
    wheel: (event) => scrollAt(event, drawn.host),
  };

  const drawn = surface((document) => {
    shown = panel(document, acts);
    show();
    if (state.mode === "pointing") shown.focusGlass();
  });

  // A page moves under us: it scrolls, it is rendered anew.
  const follow = (): void => {
    if (state.mode === "using" || !state.chain.length) return;
    if (state.chain[state.level]!.isConnected) shown?.outline(state);
    else acts.again();
  };
  let next = 0;
  const each = (): void => {
    follow();
    next = requestAnimationFrame(each);
  };
  each();

  const end = (): void => {
    turn++;
    clearTimeout(timer);
    cancelAnimationFrame(next);
    drawn.remove();
  };
  return end;
};
