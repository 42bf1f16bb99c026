// Events become a batch: a table of descriptors, a table of elements linked to their parents, and events that point to
// them (wire.md). A batch holds everything that is needed to read it.
import { writeDescriptor, type Descriptor } from "./descriptor";
import type { Standing, Subject } from "./element";
import { cut, marked } from "./mask";
import { writeView, type View } from "./view";

export type Properties = Record<string, unknown>;

export interface Captured {
  readonly id: string;
  readonly type: string;
  readonly t: number;
  readonly seq: number;
  readonly view: View;
  readonly set: Properties | undefined;
  readonly subject: Subject | undefined;
  readonly fields: Properties;
}

// Rows in the order in which they were first met, each thing once. `add` says at which place it stands.
const table = <Thing>(write: (thing: Thing) => unknown = (thing) => thing) => {
  const places: Record<string, number> = {};
  const rows: unknown[] = [];
  const add = (thing: Thing): number => (places[JSON.stringify(thing)] ??= rows.push(write(thing)) - 1);
  return [add, rows] as const;
};

const TEXT_LIMIT = 200;

// The batch as JSON, without what is stamped at each sending attempt.
export const writeBatch = (head: Properties, captured: readonly Captured[]): string => {
  const [addView, views] = table<View>(writeView);
  const [addSet, sets] = table<Properties>();
  const [addDescriptor, descriptors] = table<Descriptor>(writeDescriptor);
  const [addElement, elements] = table<unknown[]>();
  const place = ([descriptor, parent, numbers, previous, flags]: Standing): number => {
    const above = parent ? place(parent) : -1; // first, so that it stands earlier in the table
    return addElement([addDescriptor(descriptor), above, ...numbers, previous.map(addDescriptor), flags]);
  };
  const events = captured.map(({ view, set, subject, fields, ...event }) => {
    const [standing, label, text] = subject ?? ([] as unknown as Partial<Subject>);
    return {
      ...event,
      view: addView(view) || undefined,
      el: standing && place(standing),
      set: set && addSet(set),
      ...fields,
      ...marked(
        { text: text && cut(text.text, TEXT_LIMIT), label: label && cut(label.text, TEXT_LIMIT) },
        { text: text?.whole, label: label?.whole },
      ),
    };
  });
  return JSON.stringify({
    ...head,
    views,
    sets,
    descriptors,
    elements,
    events,
  });
};
