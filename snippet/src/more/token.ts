// What one domain of a site hands to the other in the address: a device, when, and a check. The check binds the device to the
// write key, to this browser's name of itself and to two minutes, so that a link that somebody copies, keeps or shares
// makes nobody another. It is no signature: write keys are public, and whoever has one can send events of any device anyway.
const MAX_AGE_S = 120;
const DEVICE = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

// FNV-1a, twice, in 32 bits each: there is no time for the browser's own digests, which answer later.
const sum = (text: string, seed: number): number => {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
};

const check = (key: string, seconds: string, device: string): string => {
  const text = [key, navigator.userAgent, seconds, device, key].join("\n");
  return sum(text, 0x811c9dc5).toString(36) + "-" + sum(text, 0x01234567).toString(36);
};

const secondsNow = (): number => Math.floor(Date.now() / 1_000);

export const writeToken = (key: string, device: string): string => {
  const seconds = secondsNow().toString(36);
  return [seconds, device, check(key, seconds, device)].join(".");
};

// The device, if the token is whole, of this key and browser, and fresh.
export const readToken = (key: string, token: string): string | undefined => {
  const [seconds = "", device = "", checked] = token.split(".");
  const age = secondsNow() - parseInt(seconds, 36);
  return age >= 0 && age <= MAX_AGE_S && DEVICE.test(device) && checked === check(key, seconds, device) ? device : undefined;
};
