// The address that the page shows: the first, then one for each SPA navigation.
import { address } from "./address";
import { cut, marked } from "./mask";

export interface View {
  readonly url: string;
  readonly referrer: string;
  title: string; // set by single-page apps after they have navigated, so it is read again until the view is over
}

const LIMIT = 200;
const ADDRESS_LIMIT = 1_000;

export const viewNow = (referrer: string): View => ({ url: location.href, referrer, title: document.title });

export const writeView = (view: View): unknown => {
  const { url, title, referrer } = view;
  // A picture of the name "title" is what `document.title` is then.
  const clean = (url: string): string => cut(address(url), ADDRESS_LIMIT);
  return marked({ url: clean(url), title: cut(`${title}`, LIMIT), referrer: clean(referrer) }, view);
};
