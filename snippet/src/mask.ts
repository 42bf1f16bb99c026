// Secrets never leave the page: each is replaced by one `…`. The collector knows the same patterns (wire.md, "Masking").

export const GAP = "…";

const EMAIL = /[^\s@/?#&=:;,<>()"'…]+(@|%40)[^\s@/?#&=:;,<>()"'…]+\.[a-z]{2,}/gi;
const JWT = /\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)?/g;
const RUN = /[\w+-]{32,}/g;
const SSN = /\b\d{3}[- ]\d{2}[- ]\d{4}\b/g;
const DIGITS = /\d([ -]?\d){12,}/g;

// A long run is a token if it holds digits and letters and is no chain of short words ("Button__label-sc-1a2b3c-0").
const token = (run: string): string => (/\d/.test(run) && /[a-z]/i.test(run) && /[a-z\d]{20}/i.test(run) ? GAP : run);

const isCard = (digits: string): boolean => {
  if (digits.length < 13 || digits.length > 19) return false;
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = +digits[digits.length - 1 - place]! << place % 2;
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
};

// A card may stand among other groups of digits ("2026-01-15 4111 1111 1111 1111"), so every stretch of groups is tried.
const card = (run: string): string => {
  const groups = run.split(/[ -]/);
  for (let from = 0; from < groups.length; from++) {
    for (let to = from, digits = ""; to < groups.length && digits.length < 19; ) {
      digits += groups[to++]!;
      if (isCard(digits)) return GAP;
    }
  }
  return run;
};

export const mask = (text: string): string =>
  (/@|%40/.test(text) ? text.replace(EMAIL, GAP) : text)
    .replace(JWT, GAP)
    .replace(RUN, token)
    .replace(SSN, GAP)
    .replace(DIGITS, card);

// Longer values are cut before they are looked at, so that no value makes a click slow.
export const LOOK = 2_000;

// At most `limit` characters of a masked text. What was cut from a longer one may end inside a secret: its tail goes too.
export const cut = (text: string, limit: number): string => {
  const isWhole = text.length <= LOOK;
  const masked = mask(isWhole ? text : text.slice(0, LOOK));
  const length = isWhole ? masked.length : Math.max(masked.length - 64, 0);
  if (isWhole && length <= limit) return masked;
  // Half an emoji is no character.
  return masked.slice(0, Math.min(length, limit - 1)).replace(/[\ud800-\udbff]$/, "") + GAP;
};
