// What is drawn in the frame: the glass that keeps the pointer from the page, the outlines, and the panel. It is made once for
// a document of the frame; then its words change.
import type { Past, Refusal, Suggested, Taken } from "./channel";
import { describe } from "./control";
import { maker } from "./make";
import { counted, showPast } from "./past";
import { ranking } from "./ranked";
import { PANEL } from "./style";
import { takenNote } from "./taken";
import { boxOf } from "./trees";

export type Mode = "pointing" | "chosen" | "using";

export interface View {
  mode: Mode;
  site: string;
  isPreviewOnly: boolean;
  chain: readonly Element[];
  level: number;
  kind: string;
  selector: string;
  text: string; // asked for beside it
  words: string; // on what was chosen
  matched: readonly Element[];
  past: Past | undefined;
  refusal: Refusal | undefined;
  notes: readonly string[];
  isAsking: boolean;
  name: string;
  saved: { name: string; events: number; people: number } | undefined;
  taken: Taken | undefined; // who has the name that somebody writes
  here: readonly string[]; // what matches on the page now, and what of it is in the past
  ranked: readonly Suggested[] | undefined;
  isOnLeft: boolean;
}

export interface Acts {
  point(x: number, y: number): void;
  choose(): void;
  widen(level: number): void;
  kind(kind: string): void;
  selector(text: string): void;
  take(suggested: Suggested): void;
  text(text: string): void;
  name(text: string): void;
  save(): void;
  again(): void;
  use(): void;
  side(): void;
  close(): void;
  key(event: KeyboardEvent): void;
  wheel(event: WheelEvent): void;
}

const KINDS = { click: "Clicks on", change: "Changes of", submit: "Submits of" };
const SAID: Record<Mode, string> = {
  pointing: "Point at what you mean and click. Keys: Tab and arrows walk, Enter chooses, Escape gives the page back.",
  chosen: "Widen or narrow it, name it, save. Escape: point again.",
  using: "The page is yours.",
};
const HANDED = "This page is cut off from Expost's window, and looks at the past with a token. What you choose here stands there: name it and save it there.";
const MOST_BOXES = 300;

export const panel = (document: Document, acts: Acts) => {
  const make = maker(document);
  const view = document.defaultView!;
  const sheet = new (view as Window & typeof globalThis).CSSStyleSheet();
  sheet.replaceSync(PANEL);
  document.adoptedStyleSheets = [sheet];
  document.documentElement.lang = "en";
  // Asked of the page's window: what a frame prefers is what the page around it says.
  document.documentElement.dataset.scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";

  const button = (words: string, onclick: () => void, given = {}): HTMLButtonElement => make("button", { type: "button", onclick, ...given }, words);
  const glass = make("div", { className: "glass", tabIndex: 0, role: "application", ariaLabel: "The page. Walk with Tab and the arrow keys, choose with Enter." });
  const boxes = make("div", { className: "boxes" });
  const use = button("Use the page", acts.use);
  const point = button("Point", acts.again, { className: "primary" });
  const side = button("⇄", acts.side, { ariaLabel: "Other side" });
  const close = button("×", acts.close, { ariaLabel: "Close the definer" });
  const status = make("p", { className: "status" });
  const crumbs = make("ol", { className: "crumbs", ariaLabel: "From the page down to the element" });
  const kind = make("select", { ariaLabel: "Type of event", onchange: () => acts.kind(kind.value) });
  for (const [value, words] of Object.entries(KINDS)) kind.append(make("option", { value }, words));
  const selector = make("input", { className: "selector", id: "selector", spellcheck: false, autocomplete: "off" as AutoFill, oninput: () => acts.selector(selector.value) });
  const text = make("input", { id: "text", placeholder: "any", autocomplete: "off" as AutoFill, oninput: () => acts.text(text.value) });
  const saying = make("div", { className: "row saying" }, make("label", { htmlFor: "text" }, "Its text"), text);
  const ranked = ranking(make, acts.take);
  const here = make("div", { className: "note here" });
  const notes = make("div", { className: "notes" });
  const past = make("div", { className: "past", ariaLive: "polite" });
  const name = make("input", { id: "name", required: true, maxLength: 200, autocomplete: "off" as AutoFill, oninput: () => acts.name(name.value) });
  const save = make("button", { className: "primary" }, "Save");
  const naming = make("form", {}, make("label", { htmlFor: "name" }, "Name"), make("div", { className: "row" }, name, save));
  const taken = takenNote(make, (free) => {
    acts.name(free);
    name.select();
  });
  naming.append(taken.note);
  const handed = make("p", { className: "note handed" }, HANDED);
  const result = make("p", { className: "result", role: "status" });
  const candidate = make(
    "div",
    { className: "candidate" },
    crumbs,
    make("div", { className: "row asked" }, kind, selector),
    saying,
    here,
    ranked.list,
    past,
    notes,
    naming,
    handed,
  );
  const title = make("strong", {}, "Expost");
  const box = make("section", { className: "panel", role: "dialog" }, make("header", {}, title, point, use, side, close), status, candidate, result);
  selector.setAttribute("aria-label", "Selector");
  document.body.append(glass, boxes, box);

  naming.addEventListener("submit", (event) => {
    event.preventDefault();
    acts.save();
  });
  let pointer: { x: number; y: number } | undefined;
  glass.addEventListener("pointermove", ({ clientX, clientY }) => {
    pointer = { x: clientX, y: clientY };
    acts.point(clientX, clientY);
  });
  glass.addEventListener("click", (event) => {
    acts.point(event.clientX, event.clientY);
    acts.choose();
  });
  for (const type of ["contextmenu", "auxclick", "dragstart"]) glass.addEventListener(type, (event) => event.preventDefault());
  glass.addEventListener("wheel", acts.wheel, { passive: false });
  view.addEventListener("keydown", acts.key);

  // Asked for at every frame of the screen, so what stands already stays as it is.
  const outline = ({ chain, level, matched, mode }: View): void => {
    const mine = mode === "using" ? undefined : chain[level];
    const others = mode === "using" || !mine ? [] : matched.filter((element) => element !== mine).slice(0, MOST_BOXES);
    const outlined = mine ? [...others, mine] : others;
    while (boxes.childElementCount > outlined.length) boxes.lastChild!.remove();
    outlined.forEach((element, place) => {
      const drawn = (boxes.children[place] as HTMLElement | undefined) ?? boxes.appendChild(make("div"));
      const { x, y, width, height } = boxOf(element);
      const look = { className: element === mine ? "box mine" : "box", left: `${x - 2}px`, top: `${y - 2}px`, width: `${width + 4}px`, height: `${height + 4}px` };
      const key = JSON.stringify(look);
      if (drawn.dataset.look === key) return;
      drawn.dataset.look = key;
      const { className, ...places } = look;
      drawn.className = className;
      Object.assign(drawn.style, places);
    });
  };

  let shownChain: readonly Element[] = [];
  const showCrumbs = ({ chain, level, mode }: View): void => {
    if (chain !== shownChain) {
      shownChain = chain;
      crumbs.replaceChildren(
        ...chain.map((element, place) => make("li", {}, button(describe(element), () => acts.widen(place)))).reverse(),
      );
    }
    crumbs.querySelectorAll("button").forEach((each, place) => {
      const isChosen = chain.length - 1 - place === level;
      if (isChosen) each.setAttribute("aria-current", "step");
      else each.removeAttribute("aria-current");
      each.tabIndex = mode === "chosen" ? 0 : -1;
      if (isChosen) each.scrollIntoView({ block: "nearest" });
    });
  };

  const show = (state: View): void => {
    const { mode, chain, refusal, saved } = state;
    box.setAttribute("aria-label", `Expost definer, ${state.site}`);
    box.dataset.mode = mode;
    glass.hidden = mode === "using";
    use.hidden = mode === "using";
    side.hidden = mode === "using";
    point.hidden = mode === "pointing";
    point.textContent = saved && mode === "chosen" ? "Point at more" : mode === "using" ? "Point" : "Point again";
    status.textContent = SAID[mode];
    box.dataset.side = state.isOnLeft ? "left" : "right";
    candidate.hidden = mode === "using" || !chain.length;
    candidate.setAttribute("aria-busy", String(state.isAsking));
    showCrumbs(state);
    kind.value = state.kind;
    if (selector.value !== state.selector) selector.value = state.selector;
    selector.readOnly = mode !== "chosen";
    if (text.value.trim() !== state.text) text.value = state.text;
    saying.hidden = mode !== "chosen" || !(state.words || state.text);
    if (name.value !== state.name) name.value = state.name;
    naming.hidden = mode !== "chosen" || !!saved || state.isPreviewOnly;
    handed.hidden = !state.isPreviewOnly;
    here.replaceChildren(...state.here.map((line, place) => make("p", place > 1 ? { className: "warning" } : {}, line)));
    taken.show(state.taken);
    ranked.show(state);
    showPast(make, past, state.past);
    notes.replaceChildren(...state.notes.map((text) => make("p", { className: "note warning" }, text)));
    result.className = refusal ? "result bad said" : "result said";
    result.textContent = refusal
      ? `${refusal.message}\n${refusal.hint}`.trim()
      : saved
        ? `Saved: “${saved.name}”. Its past: ${counted(saved.events, "event")} of ${saved.people === 1 ? "1 person" : `${saved.people.toLocaleString("en")} people`}.`
        : "";
    result.hidden = mode === "using" || !result.textContent;
    outline(state);
    if (mode === "pointing" && isInTheWay(chain[state.level])) {
      pointer = undefined;
      acts.side();
    }
  };

  const isUnder = ({ x, y, width, height }: ReturnType<typeof boxOf>, isOnOtherSide = false): boolean => {
    let { left, right, top, bottom } = box.getBoundingClientRect();
    if (isOnOtherSide) [left, right] = [view.innerWidth - right, view.innerWidth - left];
    return x < right && x + width > left && y < bottom && y + height > top;
  };
  // The panel has grown over what is pointed at, and the click would be its own; or it hides some of it and need not.
  const isInTheWay = (element: Element | undefined): boolean => {
    if (box.matches(":hover")) return false;
    const place = element && boxOf(element);
    return (!!pointer && isUnder({ ...pointer, width: 0, height: 0 })) || (!!place && isUnder(place) && !isUnder(place, true));
  };

  return {
    show,
    outline,
    covers: (element: Element) => isUnder(boxOf(element)),
    focusName: () => name.select(),
    selectName: () => document.activeElement === name && name.select(),
    focusGlass: () => glass.focus({ preventScroll: true }),
    focusPoint: () => point.focus(),
    isGlass: (target: EventTarget | null) => target === glass || target === document.body,
  };
};
export type Panel = ReturnType<typeof panel>;
