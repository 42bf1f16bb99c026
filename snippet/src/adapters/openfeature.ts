// OpenFeature: `OpenFeature.addHooks(exposureHook)`. It runs when a value is used, never when flags are fetched; a value
// from a cache (reason CACHED) was used as well.
import type { Hook } from "@openfeature/web-sdk";
import { expose, named } from "./exposure";

interface Evaluation {
  readonly value: unknown;
  readonly variant?: string;
  readonly reason?: string;
  readonly flagMetadata?: Readonly<Record<string, unknown>>;
}

// Without a variant these mean that the caller got its own default back: nobody was given a variation.
const UNDECIDED = /^(DEFAULT|DISABLED|ERROR)$/;

// What fails in a hook, the SDK takes for an error of the flag, and gives the caller its default.
const written = (value: unknown): string => {
  try {
    return JSON.stringify(value);
  } catch {
    return "object"; // cyclic
  }
};

export const exposureHook = {
  after({ flagKey }: { readonly flagKey: string }, { variant, value, reason = "", flagMetadata = {} }: Evaluation): void {
    if (variant == null && UNDECIDED.test(reason)) return;
    const { version, rule } = flagMetadata; // the former as OpenFeature's telemetry names it
    expose({ flag: flagKey, variation: variant ?? named(value, written(value)), flag_version: version, rule });
  },
} satisfies Hook;
