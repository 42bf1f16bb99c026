// What the licence of the one library that we bundle wants to be kept with it.
import { readFileSync } from "node:fs";

const { version, license } = JSON.parse(readFileSync(new URL("node_modules/web-vitals/package.json", import.meta.url)));

export const notice = `/*! web-vitals ${version}, Copyright Google LLC, ${license}, https://www.apache.org/licenses/LICENSE-2.0 */\n`;
