// What became of a click: how long it took until the page first did something, and what that was. `none` means that
// nothing came within a second. A click whose page was left or covered before carries nothing.
import type { Captured } from "../batch";
import type { Core } from "./core";
import type { Action } from "./actions";
import { answerOf } from "./answer";
import { guarded } from "./guard";
import { holder } from "./hold";
import { isSelected } from "./selection";
import { watchPress, watchReactions, type Reaction } from "./reactions";

const WAIT_MS = 1_000;
const ANSWER_MS = 5_000; // browsers tell of a request when it is over
const TENTH = 0.1; // to which the time of a click is rounded

export const tellReactions = (core: Core, features: Action[]): void => {
  const { hold, release } = holder(core);
  const hasOpened = watchPress();
  const open = new Set<Captured>(); // clicks that nothing has answered yet
  const ends = new WeakMap<Captured, number>(); // until when it may be answered
  const late = new Set<Captured>(); // those that a slow request may have answered all the same

  const forget = (click: Captured): void => {
    open.delete(click);
    late.delete(click);
    release(click);
    tidy();
  };
  const tidy = (): void => {
    if (open.size) return;
    reactions.rest();
    if (!late.size) reactions.stop();
  };
  const settle = (click: Captured, reaction: Reaction, at: number): void => {
    click.fields.properties = { reaction, reaction_ms: Math.max(0, Math.round(at - click.t)) };
    forget(click);
  };
  const viewSince = (click: Captured): Captured | undefined =>
    core.waiting.find(({ type, t }) => type === "page_view" && t >= click.t && t <= ends.get(click)!);

  const reactions = watchReactions(
    (reaction, at) => {
      for (const click of reaction === "request" ? [...open, ...late] : [...open]) {
        if (at + TENTH < click.t || at > ends.get(click)!) continue;
        const view = viewSince(click);
        if (view) settle(click, "navigation", view.t);
        else settle(click, reaction, at);
      }
    },
    () => [...open, ...late].forEach(forget),
    () => {
      const now = performance.now();
      for (const click of open) ends.set(click, Math.min(ends.get(click)!, now));
    },
  );

  const giveUp = (click: Captured, target: Node): void => {
    if (!open.has(click)) return;
    const view = viewSince(click);
    if (view) return settle(click, "navigation", view.t);
    if (location.href !== click.view.url || isSelected(target)) return forget(click);
    click.fields.properties = { reaction: "none", waited_ms: Math.round(ends.get(click)! - click.t) };
    open.delete(click);
    late.add(click);
    tidy();
    setTimeout(guarded(() => forget(click)), ANSWER_MS - WAIT_MS);
  };

  features.push((click, event) => {
    if (click.type !== "click") return;
    open.add(click);
    ends.set(click, click.t + WAIT_MS);
    hold(click);
    const answer = answerOf(event);
    const [target] = event.composedPath() as [Node];
    if (hasOpened()) return settle(click, "mutation", click.t);
    reactions.start(event);
    setTimeout(guarded(() => {
      const reaction = answer();
      if (!open.has(click)) return;
      if (reaction) settle(click, reaction, performance.now());
      else if (isSelected(target)) forget(click);
    }));
    setTimeout(guarded(() => giveUp(click, target)), WAIT_MS);
  });
};
