// Further types of event, heard as the core hears its own: at the window before the page does, and at every shadow root
// that somebody has clicked or focused in, because most types end at the root of the tree they happen in.
import type { Core } from "./core";
import { guarded } from "./guard";

// Of these the page would tell without end, or while somebody types; the last two would keep it from the browser's memory.
const ENDLESS =
  /^((mouse|pointer|touch)(move|over|out|enter|leave|rawupdate)|drag(over|enter|leave)?|scroll|wheel|mousewheel|resize|timeupdate|progress|(animation|transition).*|device.*|select(start|ionchange)|key(down|up|press)|(before)?input|composition.*|(before)?unload)$/;
// The core captures the first four, and the others are events of ours that mean something else.
const OURS = /^(click|auxclick|change|submit|page_view|page_leave|identify|group|reset|exposure|custom|snippet_error|download|web_vital)$/;
// As the collector has it.
const NAME = /^[a-z][\w:.-]{0,59}$/i;

export const isType = (word: string): boolean => NAME.test(word) && !ENDLESS.test(word) && !OURS.test(word);

// A frame that can be edited as a whole: whatever stands in it was typed.
const isEditor = (path: readonly Node[]): boolean => {
  const owner = path.find(({ nodeType }) => nodeType === 9) as Document | undefined;
  return owner !== document && owner?.designMode === "on";
};

// A frame with a tag of its own captures itself, which it may do only later than we came.
const isHeardThere = ({ view }: UIEvent | Event & { view?: null }): boolean => !!view && view !== window && !!(view as Window).expost;

// Listens at a target; a second time it changes nothing.
export const hearTypes = ({ captureAction }: Core, types: readonly string[], tell: (event: Event) => void) => {
  const heard = new WeakSet<Event>();
  const hear = guarded((event: Event): void => {
    const path = event.composedPath() as Node[];
    for (const root of path) if (root.nodeType === 11) listen(root);
    if (heard.has(event) || !types.includes(event.type) || isEditor(path) || isHeardThere(event)) return;
    heard.add(event);
    const { clientX, clientY } = event as MouseEvent;
    captureAction(event.type, path[0]!, clientX, clientY, event.isTrusted);
    tell(event);
  });
  const listen = (target: EventTarget): void => {
    for (const type of [...types, "click", "focusin"]) target.addEventListener(type, hear, true);
  };
  return listen;
};
