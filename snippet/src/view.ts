// The address that the page shows: the first, then one for each SPA navigation.
import { address } from "./address";
import { cut, marked } from "./mask";
import { isListedOnly } from "./tag";

export interface View {
  readonly url: string;
  readonly referrer: string;
  title?: string; // set by single-page apps after they have navigated, so it is read when the view is written or over
}

const LIMIT = 200;
const ADDRESS_LIMIT = 1_000;

export const viewNow = (referrer: string): View => ({ url: location.href, referrer });

export const writeView = (view: View): unknown => {
  // A picture of the name "title" is what `document.title` is then.
  const clean = (url: string): string => cut(address(url), ADDRESS_LIMIT);
  return marked({ url: clean(view.url), title: isListedOnly ? "" : cut(`${view.title}`, LIMIT), referrer: clean(view.referrer) }, view);
};
