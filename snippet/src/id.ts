// UUIDv7 (RFC 9562). The random bits are drawn once for a page and the 12 bits before them count: ids of one page differ
// by their time and count, ids of two pages by 60 random bits, and a batch of events compresses far better.

const hex = (value: number, digits: number): string => Math.floor(value + 16 ** digits).toString(16).slice(-digits);

// The second half of a UUID: the digit of its variant, then 60 random bits.
export const randomHalf = (): string => {
  const [first, second, third] = crypto.getRandomValues(new Uint32Array(3));
  return 8 + hex(first!, 3) + "-" + hex(second!, 4) + hex(third!, 8);
};

export const uuid7 = (millis: number, count: number, half: string): string =>
  hex(millis / 65_536, 8) + "-" + hex(millis, 4) + "-7" + hex(count, 3) + "-" + half;
