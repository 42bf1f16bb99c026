// Selectors for what is chosen, the best first, each with the reason why it stands where it stands. The room for them is there from
// the start, so that nothing moves under the pointer when they come.
import type { Suggested } from "./channel";
import type { Make } from "./make";

interface Shown {
  mode: string;
  selector: string;
  text: string;
  ranked: readonly Suggested[] | undefined;
}

export const ranking = (make: Make, take: (suggested: Suggested) => void) => {
  const list = make("div", { className: "ranked", role: "radiogroup", ariaLabel: "Suggestions, the best first" });
  let shown: Shown["ranked"] | null = null;

  const show = ({ mode, selector, text, ranked }: Shown): void => {
    list.hidden = mode !== "chosen";
    if (ranked !== shown) {
      shown = ranked;
      const choices = ranked?.map((each) =>
        make("button", { type: "button", role: "radio", onclick: () => take(each) }, make("code", {}, each.selector), make("small", {}, each.reason)),
      );
      list.replaceChildren(...(choices?.length ? choices : [make("p", { className: "note" }, choices ? "No suggestions." : "Asking history…")]));
    }
    list.querySelectorAll("button").forEach((each, place) => each.setAttribute("aria-checked", String(ranked?.[place]?.selector === selector && (ranked[place]!.text ?? "") === text)));
  };
  return { list, show };
};
