// Frames of the page's own origin: what happens in them is captured as if they were part of the page. Nobody watches for
// new ones: a frame that has loaded tells so on its way through the document (the window hears no `load`). Of other origins' frames we see nothing.
import type { Core } from "./core";
import { matches } from "../native";
import { guarded } from "./guard";
import { hearTypes } from "./types";

const FRAME = "iframe,frame";
const TYPES = ["click", "auxclick", "change", "submit"]; // those of the core

export const hearFrames = (core: Core, types: readonly string[], tell: (event: Event) => void): void => {
  const hear = hearTypes(core, [...TYPES, ...types], tell);

  const enter = guarded((frame: HTMLIFrameElement): void => {
    const { contentDocument, contentWindow } = frame;
    // One with a tag of its own captures itself.
    if (!contentDocument || !contentWindow || contentWindow.expost) return;
    core.hosts.set(contentDocument, frame);
    hear(contentWindow);
    look(contentDocument);
  });
  const loaded = guarded(({ target }: Event): void => {
    if ((target as Node).nodeType === 1 && matches(target as Element, FRAME)) enter(target as HTMLIFrameElement);
  });
  const look = (document: Document): void => {
    document.addEventListener("load", loaded, true);
    document.querySelectorAll<HTMLIFrameElement>(FRAME).forEach((frame) => enter(frame));
  };

  look(document);
};
