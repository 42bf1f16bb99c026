// Secrets never leave the page: each is replaced by one `…`. The collector knows the same patterns (wire.md, "Masks").
export const GAP = "…";

// The check of ISO 7812 (Luhn): every second digit from the right counts double, less 9 where that has two digits.
const isCard = (digits: string): boolean =>
  digits.length > 12 &&
  [...digits].reverse().reduce((sum, digit, place) => sum + +(place % 2 ? "0246813579"[+digit]! : digit), 0) % 10 === 0;

// A card may stand among other groups of digits ("2026-01-15 4111 1111 1111 1111"), so every stretch of groups is tried.
const hasCard = (run: string): boolean =>
  run.split(/[ -]/).some((_, first, groups) => {
    let digits = "";
    return groups.slice(first, first + 19).some((group) => (digits += group).length < 20 && isCard(digits));
  });

// What may be a secret, and when it is one.
const SECRETS: [pattern: RegExp, isSecret: (run: string) => boolean][] = [
  // E-mail addresses.
  [/[^\s/?#&=:;,<>()"'…]+/g, (word) => /.(@|%40).+\.[a-z]{2}/i.test(word)],
  // JSON Web Tokens, and other long runs unless they are chains of short words ("Button__label-sc-1a2b3c-0").
  [/\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)?|[\w+-]{32,}/g, (run) => /^(?=.*\d)(?=.*[a-z]).*[a-z\d]{20}/i.test(run)],
  // Social security numbers.
  [/\b\d{3}[- ]\d\d[- ]\d{4}\b/g, () => true],
  [/\d([ -]?\d){12,}/g, hasCard],
];

export const mask = (text: string): string =>
  SECRETS.reduce((text, [pattern, isSecret]) => text.replace(pattern, (run) => (isSecret(run) ? GAP : run)), text);

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
