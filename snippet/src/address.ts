// Addresses keep the names of parameters and lose their values, in the query and in the hash, campaigns excepted.
import { GAP, mask } from "./mask";

const CONTENT = /^\s*(data|blob|javascript):[^]*/i; // no places
const PARAMETER = /([?#&][^?#&=]*=)([^#&]+)/g;

export const address = (url: string): string =>
  mask(
    url
      .replace(CONTENT, "$1:" + GAP)
      .replace(PARAMETER, (whole, name: string) => (name.startsWith("utm_", 1) ? whole : name + GAP)),
  );
