// LaunchDarkly, one of both: `initialize(id, context, { inspectors: [exposureInspector] })`, or `{ hooks: [exposureHook] }`
// from version 3.5 on. `variation` and `variationDetail` count, `allFlags` does not.
import type { Hook, LDInspection } from "launchdarkly-js-client-sdk";
import { expose, named } from "./exposure";

interface Detail {
  readonly value: unknown;
  readonly variationIndex?: number | null | undefined;
  readonly reason?: { readonly ruleId?: string } | null | undefined; // only with `evaluationReasons: true`
}

const told = (flag: string, { value, variationIndex, reason }: Detail): void => {
  // No index: the flag is unknown or off, and the caller got its own default back.
  if (variationIndex != null) expose({ flag, variation: named(value, variationIndex), rule: reason?.ruleId });
};

export const exposureInspector = {
  type: "flag-used" as const,
  name: "expost",
  synchronous: true, // at the time of use, not later
  method: told,
} satisfies LDInspection;

export const exposureHook = {
  getMetadata: () => ({ name: "expost" }),
  afterEvaluation<Data>({ flagKey }: { readonly flagKey: string }, data: Data, detail: Detail): Data {
    told(flagKey, detail);
    return data;
  },
} satisfies Hook;
