// UUIDv7 (RFC 9562). The random bits are drawn once for a page and the 12 bits before them count: ids of one page differ
// by their time and count, ids of two pages by 62 random bits, and a batch of events compresses far better.

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0").slice(-digits);

// The second half of a UUID: two bits of variant, then 62 random ones.
export const randomHalf = (): string => {
  const [random] = crypto.getRandomValues(new BigUint64Array(1));
  return ((random! >> 2n) | (1n << 63n)).toString(16);
};

export const uuid7 = (millis: number, count: number, half: string): string =>
  (hex(Math.floor(millis), 12) + 7 + hex(count, 3) + half).replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
