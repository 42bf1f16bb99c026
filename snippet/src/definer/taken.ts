// That a name is taken, said while it is written: since when, what it means, and one that is free. The page may add a name and never
// change one, so what else can be done stands in Expost's own window.
import type { Taken } from "./channel";
import type { Make } from "./make";

export const takenNote = (make: Make, take: (free: string) => void) => {
  const note = make("div", { className: "note taken", ariaLive: "polite", hidden: true });
  const show = (taken: Taken | undefined): void => {
    note.hidden = !taken;
    if (!taken) return;
    const { name, version, meaning, since, is_archived, is_same, free } = taken;
    const say = make(
      "p",
      { className: "warning" },
      `“${name}” exists since ${since.slice(0, 10)} (version ${version}${is_archived ? ", archived" : ""}): ${meaning}.`,
      is_same ? " It means the same already." : ` Only new names are saved from here; in Expost's window this can become its version ${version + 1}.`,
    );
    note.replaceChildren(say, make("button", { type: "button", onclick: () => take(free) }, `Take “${free}”`));
    note.scrollIntoView({ block: "nearest" });
  };
  return { note, show };
};
