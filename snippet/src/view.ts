// The address that the page shows: the first, then one for each SPA navigation.
import { address } from "./address";
import { LOOK, cut } from "./mask";

export interface View {
  readonly url: string;
  readonly referrer: string;
  title: string; // set by single-page apps after they have navigated, so it is read again until the view is over
}

export const viewNow = (referrer: string): View => ({ url: location.href, referrer, title: document.title });

export const writeView = ({ url, referrer, title }: View): unknown => {
  const seen = { url: cut(address(url), LOOK), title: cut(title, 200), referrer: cut(address(referrer), LOOK) };
  const whole: Record<string, string> = { url, title, referrer };
  const marks = Object.entries(seen).filter(([name, value]) => value !== whole[name]).map(([name]) => name);
  return { ...seen, title: seen.title || undefined, referrer: seen.referrer || undefined, marks: marks.length ? marks : undefined };
};
