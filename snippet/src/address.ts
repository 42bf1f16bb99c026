// Addresses keep the names of query parameters and lose their values, except for campaign parameters.
import { GAP, mask } from "./mask";

const parameters = (query: string): string =>
  query.replace(/([^&=?#]*)=([^&]*)/g, (whole, name: string, value: string) =>
    value && !/^utm_/.test(name) ? `${name}=${GAP}` : whole,
  );

export const address = (url: string): string => {
  // Content and code, not places.
  if (/^\s*(data|blob|javascript):/i.test(url)) return url.slice(0, url.indexOf(":") + 1) + GAP;
  const [, place, query, hash] = /^([^?#]*)(\?[^#]*)?(#[^]*)?$/.exec(url)!;
  return mask(place! + parameters(query ?? "") + parameters(hash ?? ""));
};
