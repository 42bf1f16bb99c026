// Web vitals, measured by the library of that name: an event for each, once it is final. A page that is hidden and shown
// again may tell one again, with a value that is no smaller.
import { onCLS, onFCP, onINP, onLCP, onTTFB, type Metric } from "web-vitals";
import type { Core } from "./core";

const DIGITS = 10_000;

export const tellVitals = (capture: Core["capture"], sendOff: Core["sendOff"], guarded: Core["guarded"]): void => {
  const tell = guarded(({ name, value, rating }: Metric): void => {
    capture("web_vital", undefined, { properties: { metric: name, value: Math.round(value * DIGITS) / DIGITS, rating } });
    // What is final because the page is hidden comes after the core has sent off what it had.
    if (document.visibilityState === "hidden") queueMicrotask(guarded(sendOff));
  });
  for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB]) on(tell);
};
