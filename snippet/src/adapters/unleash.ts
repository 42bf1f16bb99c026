// Unleash: `tellExposures(client)` before `client.start()`. Impressions come for flags with impression data turned on, or
// for all with `impressionDataAll: true` among the client's options.
import type { UnleashClient } from "unleash-proxy-client";
import { expose } from "./exposure";

interface Variant {
  readonly name: string;
  readonly enabled: boolean;
}

interface Client {
  on(event: string, listener: (impression: any) => void): unknown;
  getAllToggles(): readonly { readonly name: string; readonly variant?: Variant }[];
}

interface Impression {
  readonly featureName: string;
  readonly enabled: boolean;
}

// `isEnabled` tells no variant even where there is one. Code asks it first and `getVariant` then, and those two uses must
// not look like two variations of one flag. The variant `disabled` is none.
export const tellExposures = ((client: Client): void => {
  client.on("impression", ({ featureName, enabled }: Impression) => {
    const variant = client.getAllToggles().find(({ name }) => name === featureName)?.variant;
    expose({ flag: featureName, variation: enabled && variant?.enabled ? variant.name : enabled });
  });
}) satisfies (client: UnleashClient) => void;
