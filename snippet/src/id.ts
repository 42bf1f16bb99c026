// UUIDv7 (RFC 9562). The random half is drawn once for a page and the 12 bits before it count: ids of one page differ by
// their time and count, ids of two pages by 62 random bits, and a batch of events compresses far better.

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0").slice(-digits);

// The second half of a UUID: two bits of variant, then 62 random ones.
export const randomHalf = (): string => {
  const words = Array.from(crypto.getRandomValues(new Uint16Array(4)), (word) => hex(word, 4));
  words[0] = hex(parseInt(words[0]!, 16) & 0x3fff | 0x8000, 4);
  return words[0] + "-" + words.slice(1).join("");
};

export const uuid7 = (millis: number, count: number, half: string): string => {
  const time = hex(Math.floor(millis), 12);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(count, 3)}-${half}`;
};
