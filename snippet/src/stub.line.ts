// Becomes dist/stub.js.
import { queue } from "./stub";

const q = queue();
addEventListener(
  "click",
  (event) => {
    q.push([performance.now(), ["click", event.composedPath()[0], event.clientX, event.clientY, event.isTrusted]]);
  },
  true,
);
