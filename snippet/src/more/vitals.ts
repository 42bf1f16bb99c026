// Web vitals, measured by the library of that name: an event for each, once it is final. A page that is hidden and shown
// again may tell one again, with a value that is no smaller.
import { onCLS, onFCP, onINP, onLCP, onTTFB, type Metric } from "web-vitals";
import type { Core } from "./core";

const DIGITS = 10_000;

export const tellVitals = (capture: Core["capture"]): void => {
  const tell = ({ name, value, rating }: Metric): void => {
    try {
      capture("web_vital", undefined, { properties: { metric: name, value: Math.round(value * DIGITS) / DIGITS, rating } });
    } catch {
      // The page must not notice.
    }
  };
  for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB]) on(tell);
};
