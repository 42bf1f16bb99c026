// A site on several domains (`data-domains`): who follows a link or sends a form from one to another stays the same device.
// Only in mode full, because only there is a device.
import type { Core } from "./core";
import { attribute, matches } from "../native";
import { guarded } from "./guard";
import { linkOf } from "./link";
import { readToken, writeToken } from "./token";
import { modeAtFirst } from "./wanted";

const NAME = "_xp";
const ENTRY = "expost"; // of the core
const GIVEN = /([?&])_xp=([^&#]*)&?/;
const FORM = "form:not([method=dialog i])";

export const leadOver = (core: Core, domains: readonly string[]): void => {
  if (!domains.length) return;

  const isOfSite = (url: URL): boolean =>
    /^https?:$/.test(url.protocol) &&
    url.origin !== location.origin &&
    domains.some((domain) => `.${url.hostname}`.endsWith(`.${domain.toLowerCase()}`));

  const token = (): string | undefined => {
    let device: string | undefined;
    if (core.isFull()) core.remember((browser) => void (device = browser.device));
    return device && writeToken(core.tag.key!, device);
  };

  // The page finds its own address there again as soon as the browser has set out. Before the click nothing is changed, so
  // that an address that is copied carries nothing.
  const follow = guarded((event: Event): void => {
    const link = linkOf(event);
    if (!link || (event as MouseEvent).button > 1) return;
    lend(link, "href", isOfSite, token);
  });
  const send = guarded((event: Event): void => {
    const form = event.composedPath()[0] as HTMLFormElement;
    if (!matches(form, FORM)) return;
    if (matches(form, "[method=post i]")) return lend(form, "action", isOfSite, token);
    // What a form asks for replaces the parameters of its address.
    const given = isOfSite(new URL(attribute(form, "action") ?? "", form.baseURI)) && token();
    if (!given) return;
    const field = Object.assign(document.createElement("input"), { type: "hidden", name: NAME, value: given });
    Node.prototype.appendChild.call(form, field);
    setTimeout(() => field.remove());
  });
  for (const type of ["click", "auxclick"]) addEventListener(type, follow, true);
  addEventListener("submit", send, true);
};

const lend = (element: Element, name: string, isOfSite: (url: URL) => boolean, token: () => string | undefined): void => {
  const own = attribute(element, name) ?? "";
  const url = new URL(own, element.baseURI);
  const given = isOfSite(url) && token();
  if (!given) return;
  // By hand: `searchParams` would write the other parameters anew.
  const [, place, hash] = /^([^#]*)(.*)$/.exec(url.href)!;
  const lent = `${place}${url.search ? "&" : "?"}${NAME}=${given}${hash}`;
  element.setAttribute(name, lent);
  setTimeout(() => {
    // Unless the page has put another there meanwhile.
    if (attribute(element, name) === lent) element.setAttribute(name, own);
  });
};

// Whoever comes from another domain of the site brings a device along. The core has not begun: it finds the device as if
// it had been here before, and an address that is tidy.
export const arrive = (tag: DOMStringMap): void => {
  const [, , token] = GIVEN.exec(location.search) ?? [];
  if (!token) return;
  const tidy = location.href.replace(GIVEN, "$1").replace(/[?&](?=#|$)/, "");
  History.prototype.replaceState.call(history, history.state, "", tidy);
  const device = readToken(tag.key!, token);
  // A browser that has seen another page of this domain has a device.
  if (device && modeAtFirst(tag) === "full") localStorage[ENTRY] ??= JSON.stringify({ device });
};
