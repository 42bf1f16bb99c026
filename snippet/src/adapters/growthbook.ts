// GrowthBook: `new GrowthBook({ trackingCallback })`. It is called when somebody is put into an experiment, not when
// features are loaded, and not for values that no experiment decides.
import type { TrackingCallback } from "@growthbook/growthbook";
import { expose, named } from "./exposure";

interface Experiment {
  readonly key: string;
}

interface Result {
  readonly value: unknown;
  readonly key: string; // of the variation
  readonly featureId: string | null;
}

// An experiment that decides a feature is that feature's rule; one of its own is the flag.
export const trackingCallback = (({ key }: Experiment, result: Result): void => {
  const variation = named(result.value, result.key);
  if (result.featureId) expose({ flag: result.featureId, variation, rule: key });
  else expose({ flag: key, variation });
}) satisfies TrackingCallback;
