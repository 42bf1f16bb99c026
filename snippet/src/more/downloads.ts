// A click on a link to a file is an event of its own besides: `download`, with the link as its element.
import type { Core } from "./core";
import { attribute, hasAttribute, parentOf } from "../native";
import { isPrivate } from "../privacy";
import type { Action } from "./actions";
import { linkOf } from "./link";

const FILE =
  /\.(7z|apk|avi|bz2|csv|deb|dmg|docx?|epub|exe|flac|gz|ics|iso|jar|key|m4a|m4v|mkv|mobi|mov|mp[34]|mpe?g|msi|numbers|od[fgpst]|ogg|pages|pdf|pkg|pp[st]x?|rar|rpm|rtf|svgz|tar|tgz|tsv|txt|wav|webm|wm[av]|xlsx?|xz|zip)$/i;
const EXTENSION = /\.([a-z\d]{1,8})$/i;

export const tellDownloads = ({ tag, captureAction, waiting, hosts }: Core, features: Action[]): void => {
  // Of an address that does not leave the page nothing of it does.
  const isListed = !/^(undefined|default)$/.test(`${tag.attributes}`) && !(tag.clear ?? "").split(/\s+/).includes("href");
  const mayLeave = (link: Element): boolean => {
    let at: Element | undefined | null = link;
    while (at && !isPrivate(at)) at = parentOf(at) ?? hosts.get(at.ownerDocument);
    return !at && !isListed;
  };

  features.push((_, event) => {
    const { button, clientX, clientY } = event as MouseEvent;
    const link = button < 2 && linkOf(event);
    if (!link) return;
    const { pathname } = new URL(attribute(link, "href")!, link.baseURI);
    if (!hasAttribute(link, "download") && !FILE.test(pathname)) return;

    const before = waiting.length;
    captureAction("download", link, clientX, clientY, event.isTrusted);
    const captured = waiting[before];
    if (!captured) return;
    const [, extension] = EXTENSION.exec(attribute(link, "download") ?? "") ?? EXTENSION.exec(pathname) ?? [];
    if (extension && mayLeave(link)) captured.fields.properties = { extension: extension.toLowerCase() };
  });
};
