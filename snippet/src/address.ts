// Addresses keep the names of parameters and lose their values, in the query and in the hash, campaigns excepted.
import { GAP, mask } from "./mask";

export const address = (url: string): string =>
  mask(
    url
      .replace(/^\s*(data|blob|javascript):[^]*/i, "$1:" + GAP) // no places
      .replace(/([?#&][^?#&=]*=)([^#&]+)/g, (whole, name: string) => (name.startsWith("utm_", 1) ? whole : name + GAP)),
  );
