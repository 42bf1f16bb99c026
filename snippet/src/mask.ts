// Secrets never leave the page: each is replaced by one `…`. The collector knows the same patterns (wire.md, "Masks").
export const GAP = "…";

// The check of ISO 7812 (Luhn): every second digit from the right counts double, less 9 where that has two digits.
const isCard = (digits: string): boolean =>
  digits.length > 12 &&
  [...digits].reduce((sum, digit, place) => sum + +((digits.length - place) % 2 ? digit : "0246813579"[digit as any]!), 0) % 10 === 0;

// A card may stand among other groups of digits ("2026-01-15 4111 1111 1111 1111"), so every stretch of groups is tried.
const hasCard = (run: string): boolean =>
  run.split(/[\s-]/).some((_, first, groups) => {
    let digits = "";
    return groups.slice(first, first + 19).some((group) => (digits += group).length < 20 && isCard(digits));
  });

const hide =
  (isSecret: (run: string) => boolean) =>
  (run: string): string =>
    isSecret(run) ? GAP : run;

// A browser translates a pattern that it meets a second time; written where they are used, these are met anew.
export const mask = (text: string): string =>
  // No secret is without.
  !/@|%40|eyJ|[\w+-]{32}|\d([\s-]?\d){8}/.test(text) ? text : text
    // E-mail addresses.
    .replace(/[^\s/?#&=:;,<>()"'…]+/g, hide((word) => /.(@|%40).+\.[a-z]{2}/i.test(word)))
    // JSON Web Tokens, and other long runs unless they are chains of short words ("Button__label-sc-1a2b3c-0").
    .replace(/\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)?|[\w+-]{32,}/g, hide((run) => /^(?=.*\d)(?=.*[a-z]).*[a-z\d]{20}/i.test(run)))
    // Social security numbers.
    .replace(/\b\d{3}[\s-]\d\d[\s-]\d{4}\b/g, GAP)
    .replace(/\d([\s-]?\d){12,}/g, hide(hasCard));

// What lies further on in a value is never looked at: no value makes a click slow.
export const LOOK = 2_000;

// At most `limit` characters of a text, masked. The limit is well below LOOK, where a secret might be cut in half.
export const cut = (text: string, limit: number): string => {
  const masked = mask(text.slice(0, LOOK));
  if (masked.length <= limit && text.length <= LOOK) return masked;
  return masked.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "") + GAP; // half an emoji is no character
};

// Values as they leave the page, with the names of those that are not whole.
export const marked = <Values extends object>(values: Values, wholes: { [Name in keyof Values]?: unknown }): Values => {
  const names = Object.keys(values) as (keyof Values)[];
  const marks = names.filter((name) => values[name] !== wholes[name]);
  return marks.length ? { ...values, marks } : values;
};
