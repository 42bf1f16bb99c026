// Chromium, a page in it with one of the scripts, and clicks on that page.
import { createRequire } from "node:module";
import { origin } from "./recorder.mjs";
import { scripts } from "./scripts.mjs";
import { SHOP } from "./pages.mjs";

const { chromium } = createRequire(new URL("../../snippet/package.json", import.meta.url))("playwright-core");

const SETTLED_MS = 1_000;
const AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
});
export const refused = new Set();
export const wait = (millis) => new Promise((wake) => setTimeout(wake, millis));

// A page with the script in it, in a browser that knows nothing, and the browser's own figures of it.
export const opened = async (script, { place = SHOP, throttle = 1 } = {}) => {
  const context = await browser.newContext({ userAgent: AGENT });
  await context.route(/.*/, (route) => {
    const url = route.request().url();
    if (url.startsWith(origin) || url.startsWith("data:")) return route.continue();
    refused.add(`${script.name}: ${new URL(url).host}`);
    return route.abort();
  });
  const tab = await context.newPage();
  const devtools = await context.newCDPSession(tab);
  await devtools.send("Performance.enable");
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: throttle });
  await tab.goto(`${origin}/${scripts.indexOf(script)}/${place}`, { waitUntil: "load" });
  await wait(SETTLED_MS);
  const figures = async () => Object.fromEntries((await devtools.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]));
  return { tab, devtools, figures, close: () => context.close() };
};

// Clicks all over the page, as a script makes them, each in a task of its own; how long each was on, in microseconds.
export const click = ({ tab }, selector, count, seed = 1) =>
  tab.evaluate(
    async ([selector, count, seed]) => {
      const all = document.querySelectorAll(selector);
      const times = [];
      for (let n = 0; n < count; n++) {
        const place = (n + seed) * 7919;
        const event = new MouseEvent("click", { bubbles: true, cancelable: true, composed: true, clientX: place % 1200, clientY: place % 700 });
        const before = performance.now();
        all[place % all.length].dispatchEvent(event);
        times.push((performance.now() - before) * 1_000);
        await new Promise((next) => setTimeout(next));
      }
      return times;
    },
    [selector, count, seed],
  );

// Clicks as a person makes them, on whatever stands there, all over the view and down the page.
export const press = async ({ tab, devtools }, count, first = 0) => {
  for (let n = first; n < first + count; n++) {
    if (n % 20 === 0) await tab.evaluate((top) => scrollTo(0, top), n * 30);
    const at = { x: 40 + ((n * 397) % 1_200), y: 20 + ((n * 211) % 680), button: "left", clickCount: 1 };
    for (const type of ["mousePressed", "mouseReleased"]) await devtools.send("Input.dispatchMouseEvent", { type, ...at });
    await wait(30);
  }
};

// What the browser itself wrote down while `work` went on.
export const traced = async ({ tab }, work) => {
  await browser.startTracing(tab, { categories: ["devtools.timeline"] });
  await work();
  return JSON.parse((await browser.stopTracing()).toString()).traceEvents;
};
