// The past of a candidate in figures and a sparkline.
import type { Past } from "./channel";
import type { Make } from "./make";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 36;

export const written = (count: number): string => count.toLocaleString("en");
export const counted = (count: number, one: string): string => `${written(count)} ${one}${count === 1 ? "" : "s"}`;

export const showPast = (make: Make, place: Element, past: Past | undefined): void => {
  if (!past) return place.replaceChildren();
  const figure = (name: string, value: string): HTMLElement => make("div", {}, make("dt", {}, name), make("dd", {}, value));
  const figures = make("dl", {}, figure("Events", written(past.events)), figure("People", written(past.people)));
  if (past.unknown) figures.append(figure("Unknown", written(past.unknown)));
  const seen = past.first_seen && past.last_seen ? `${past.first_seen.slice(0, 10)} to ${past.last_seen.slice(0, 10)}` : "never seen";
  const most = Math.max(...past.days, 0);
  const caption = `Events a day over ${past.days.length} days, at most ${written(most)}; ${seen}`;
  place.replaceChildren(figures, make("figure", {}, sparkline(place.ownerDocument, past.days, most, caption), make("figcaption", {}, caption)));
};

const sparkline = (document: Document, days: readonly number[], most: number, label: string): Element => {
  const svg = document.createElementNS(SVG, "svg");
  const set = (element: Element, values: Record<string, string | number>): Element => {
    for (const [name, value] of Object.entries(values)) element.setAttribute(name, String(value));
    return element;
  };
  set(svg, { viewBox: `0 0 ${days.length || 1} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label });
  days.forEach((events, day) => {
    const height = most ? (events / most) * HEIGHT : 0;
    if (events) svg.append(set(document.createElementNS(SVG, "rect"), { x: day, y: HEIGHT - height, width: 0.85, height }));
  });
  return svg;
};
