// Events become a batch: a table of descriptors, a table of elements linked to their parents, and events that point to
// them (wire.md). A batch holds everything that is needed to read it.
import { writeDescriptor, type Descriptor } from "./descriptor";
import type { Standing, Subject } from "./element";
import { cut } from "./mask";
import { trimmed } from "./row";
import type { Text } from "./text";
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
const table = <Thing>(keyOf: (thing: Thing) => unknown, rowOf: (thing: Thing) => unknown) => {
  const rows: unknown[] = [];
  const places = new Map<unknown, number>();
  const add = (thing: Thing): number => {
    const key = keyOf(thing);
    if (!places.has(key)) {
      rows.push(rowOf(thing));
      places.set(key, rows.length - 1);
    }
    return places.get(key)!;
  };
  return { rows, add };
};

const itself = <Thing>(thing: Thing): Thing => thing;

const TEXT_LIMIT = 200;
const ELEMENT_DEFAULTS = [, -1, 1, 1, 1, 1, [], 0];

// The batch as JSON, without what is stamped at each sending attempt.
export const writeBatch = (head: Properties, captured: readonly Captured[]): string => {
  const views = table<View>(itself, writeView);
  const sets = table<Properties>(itself, itself);
  const descriptors = table<Descriptor>(JSON.stringify, writeDescriptor);
  const elements = table<unknown[]>(JSON.stringify, (row) => trimmed(row, ELEMENT_DEFAULTS));
  const place = ({ descriptor, parent, numbers, previous, flags }: Standing): number => {
    const above = parent ? place(parent) : -1; // first, so that it stands earlier in the table
    return elements.add([descriptors.add(descriptor), above, ...numbers, previous.map(descriptors.add), flags]);
  };

  const events = captured.map(({ id, type, t, seq, view, set, subject, fields }) => {
    const marks: string[] = [];
    const write = (name: string, source: Text | undefined): string | undefined => {
      const text = source && cut(source.text, TEXT_LIMIT);
      if (source && (source.isMarked || text !== source.text)) marks.push(name);
      return text || undefined;
    };
    return {
      id,
      type,
      t,
      seq,
      view: views.add(view) || undefined,
      el: subject && place(subject.standing),
      set: set && sets.add(set),
      text: write("text", subject?.text),
      label: write("label", subject?.label),
      ...fields,
      marks: marks.length ? marks : undefined,
    };
  });
  return JSON.stringify({
    ...head,
    views: views.rows,
    sets: sets.rows,
    descriptors: descriptors.rows,
    elements: elements.rows,
    events,
  });
};
