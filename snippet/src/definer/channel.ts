// The way to the page of Expost that opened this window. That page asks the server, with its own login; here there is only a
// port, which no other script of this page hears, and which nobody but the origin that we name can take.
import type { Level } from "./chain";

export interface Past {
  events: number;
  people: number;
  unknown: number;
  first_seen: string | null;
  last_seen: string | null;
  days: number[];
}
export interface Suggested {
  selector: string;
  text: string | null; // asked for beside it
  reason: string;
  used: number; // things of this page that it found in the past
  of: number; // of so many that were used here
}
// Who has a name already: another one is free, and Expost's own page can change what that one means.
export interface Taken {
  name: string;
  version: number;
  meaning: string;
  since: string;
  is_archived: boolean;
  is_same: boolean;
  free: string;
}
export interface Candidate {
  kind: string;
  selector: string;
  text: string;
}
export interface Questions {
  selectors: { given: { chain: Level[] }; answer: string[] };
  suggestions: { given: { chain: Level[]; level: number; kind: string; page: string; text: string }; answer: Suggested[] };
  past: { given: Candidate; answer: Past };
  names: { given: { chain: Level[]; kind: string; path: string; words: string; heading: string }; answer: { name: string } };
  taken: { given: Candidate & { name: string }; answer: { taken: Taken | null } };
  chosen: { given: Candidate & { name: string }; answer: object };
  save: { given: Candidate & { name: string }; answer: { name: string; events: number; people: number } };
}
export type Ask = <Kind extends keyof Questions>(kind: Kind, given: Questions[Kind]["given"]) => Promise<Questions[Kind]["answer"]>;

export class Refusal extends Error {
  constructor(
    message: string,
    readonly hint = "",
  ) {
    super(message);
  }
}

export const PATIENCE_MS = 30_000;
export const SILENCE = new Refusal("Expost does not answer.", "Is the page open that brought you here? Open this one from it again.");

// Tells the opener that we are here. `welcomed` is called if it is the page of Expost that waits for us.
export const greet = (opener: Window, origin: string, key: string | undefined, welcomed: (ask: Ask, site: string) => void): void => {
  const { port1, port2 } = new MessageChannel();
  const open = new Map<number, (reply: { answer?: unknown; error?: { message: string; hint?: string } }) => void>();
  let last = 0;

  const ask = (kind: string, given: object): Promise<any> =>
    new Promise((resolve, reject) => {
      const id = ++last;
      const timer = setTimeout(() => open.get(id)?.({ error: SILENCE }), PATIENCE_MS);
      open.set(id, ({ answer, error }) => {
        clearTimeout(timer);
        open.delete(id);
        if (error) reject(new Refusal(error.message, error.hint));
        else resolve(answer);
      });
      port1.postMessage({ id, ask: kind, ...given });
    });

  port1.onmessage = ({ data }) => {
    if (data.welcome) welcomed(ask as Ask, String(data.site));
    else open.get(data.id)?.(data);
  };
  opener.postMessage({ expost: "definer", key }, origin, [port2]);
};
