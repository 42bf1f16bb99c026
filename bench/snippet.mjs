// What the snippet costs beside its peers' scripts: size, time at a click, bytes on the wire, what the page waits for at load.
//
//     make bench-snippet                  installs the peers first
//     node bench/snippet.mjs --alone      our own row
//
// Same page of some 2,000 elements, same clicks. A recorder on loopback answers for every server; what a page asks of any
// other address is refused and counted. Times are those of this machine: read the ratios.
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { ANSWERS, PEERS, unpacked } from "./peers/peers.mjs";

const own = createRequire(new URL("../snippet/package.json", import.meta.url));
const { chromium } = own("playwright-core");
const { build } = own("esbuild");
const read = (name) => readFileSync(new URL(name, import.meta.url));

const WAVES = 5; // of clicks on what people click on: links, buttons and what stands in them
const WAVE = 20;
const QUIET_MS = 7_000; // longer than any of them waits with a batch
const CLICKS = 300;
const ROUNDS = 3;
const SETTLED_MS = 1_000;
const THROTTLE = 4;
const AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

const INTERACTIVE = "a, a *, button, button *";
const ANY = "body *";

// The page.
const many = (count, write) => Array.from({ length: count }, (_, place) => write(place)).join("");
const icon = '<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="M2 2h12v12H2z"></path></svg>';
const product = (n) => `<li class="product-card col-4${n % 5 ? "" : " is-featured"}" data-product-id="${10_000 + n}">
  <a class="product-link" href="/product/${n}?from=list"><img class="thumb" src="data:," alt="Product ${n}"><h3>Product number ${n}</h3></a>
  <p class="price"><span class="currency">€</span><span class="amount">${n}.50</span></p>
  <button type="button" class="btn btn-primary add-to-cart" aria-label="Add product ${n}">${icon}<span>Add to cart</span></button></li>`;
const body = `<div id="app" class="layout layout--wide"><header class="top"><nav class="menu"><ul>${many(8, (n) => `<li><a href="/c/${n}">Category ${n}</a></li>`)}</ul></nav></header>
  <main class="content"><section class="listing"><ul class="grid">${many(160, product)}</ul></section>
  <section class="orders"><table class="table"><tbody>${many(100, (n) => `<tr class="row"><td>${n}</td><td class="name">Order ${n}</td><td><a href="/order?id=${n}">Open</a></td></tr>`)}</tbody></table></section></main></div>`;
const rows = `<table><tbody>${"<tr><td>a</td><td>b</td></tr>".repeat(10_000)}</tbody></table>`;
const stay = "<script>addEventListener('click', event => event.preventDefault())</script>"; // links would lead away
const page = (head, content) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Shop</title>${stay}${head}</head><body>${content}</body></html>`;

// The scripts: a listener that only reads the target, ours, and theirs.
const bundled = async (code) => {
  const options = { bundle: true, minify: true, write: false, format: "iife", target: "es2020", define: { "process.env.NODE_ENV": '"production"' } };
  const { outputFiles } = await build({ ...options, stdin: { contents: code, resolveDir: fileURLToPath(new URL("peers", import.meta.url)) } });
  return outputFiles[0].text;
};
const bare = { name: "a listener that reads the target", script: "addEventListener('click', event => { window.hit = event.composedPath()[0] }, true)" };
const ours = {
  name: "expost",
  script: read("../snippet/dist/expost.js"),
  bytes: read("../snippet/dist/expost.js.br").length,
  clicks: (text) => JSON.parse(text).events.filter(({ type }) => type === "click").length,
};
const hasPeers = existsSync(new URL("peers/node_modules", import.meta.url)) && !process.argv.includes("--alone");
const peers = [];
for (const peer of hasPeers ? PEERS : []) {
  const script = await bundled(peer.code);
  const file = peer.sizeOf && read(`peers/node_modules/${peer.sizeOf}`);
  const { version } = JSON.parse(read(`peers/node_modules/${peer.name}/package.json`));
  peers.push({ ...peer, version, script, bytes: brotliCompressSync(file ?? script).length });
}
const scripts = [bare, ours, ...peers];

// The recorder.
let sent = []; // bodies
const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  const [, place, kind] = /^\/(\d+)\/(page|rows|script\.js)$/.exec(pathname) ?? [];
  // Isolated pages have a finer clock.
  const headers = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
  if (kind === "script.js") response.writeHead(200, { ...headers, "content-type": "text/javascript" }).end(scripts[place].script);
  else if (kind) {
    const tag = `<script async src="/${place}/script.js" data-key="bench" data-consent="full"></script>`;
    response.writeHead(200, { ...headers, "content-type": "text/html" }).end(page(tag, kind === "rows" ? rows : body));
  } else {
    const content = Buffer.concat(await request.toArray());
    if (content.length) sent.push(content);
    if (pathname === "/e") response.writeHead(204).end();
    else {
      const [, answer] = ANSWERS.find(([path]) => path.test(pathname));
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    }
  }
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const origin = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
});
const refused = new Set();
const wait = (millis) => new Promise((wake) => setTimeout(wake, millis));

// A page with the script in it, in a browser that knows nothing, and the browser's own figures of it.
const opened = async (script, { kind = "page", throttle = 1 } = {}) => {
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
  await tab.goto(`${origin}/${scripts.indexOf(script)}/${kind}`, { waitUntil: "load" });
  await wait(SETTLED_MS);
  const figures = async () => Object.fromEntries((await devtools.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]));
  return { tab, devtools, figures, close: () => context.close() };
};

// Clicks all over the page, as a script makes them, each in a task of its own; how long each was on, in microseconds.
const click = ({ tab }, selector, count, seed = 1) =>
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

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

// Makes waves of clicks and says how many were told of, in how many bytes.
const told = async (script, opening, selector, waves, wave) => {
  sent = [];
  for (let made = 0; made < waves; made++) {
    await click(opening, selector, wave, made * wave);
    const count = () => sent.reduce((sum, body) => sum + script.clicks(unpacked(body)), 0);
    for (let waited = 0; waited < QUIET_MS && count() < (made + 1) * wave; waited += 100) await wait(100);
  }
  const bodies = sent.filter((body) => script.clicks(unpacked(body)));
  const clicks = bodies.reduce((sum, body) => sum + script.clicks(unpacked(body)), 0);
  const size = (bytes) => Math.round(bodies.reduce((sum, body) => sum + bytes(body), 0) / clicks);
  return { clicks, wire: size(({ length }) => length), gzip: size((body) => gzipSync(unpacked(body)).length) };
};

for (const script of scripts) Object.assign(script, { p50: [], work: [], load: [], heap: [] });
for (let round = 0; round < ROUNDS; round++) {
  for (const script of scripts) {
    process.stderr.write(".");
    const loading = await opened(script, { throttle: THROTTLE });
    script.load.push((await loading.figures()).ScriptDuration * 1_000);
    await loading.devtools.send("HeapProfiler.collectGarbage");
    script.heap.push((await loading.figures()).JSHeapUsedSize / 1_000);
    await loading.close();
    const opening = await opened(script);
    const before = (await opening.figures()).ScriptDuration;
    script.p50.push(median(await click(opening, INTERACTIVE, CLICKS)));
    await wait(SETTLED_MS);
    script.work.push((((await opening.figures()).ScriptDuration - before) / CLICKS) * 1e6);
    await opening.close();
  }
}
for (const script of scripts.slice(1)) {
  process.stderr.write(".");
  const opening = await opened(script);
  await wait(QUIET_MS);
  script.wires = await told(script, opening, INTERACTIVE, WAVES, WAVE);
  script.anywhere = await told(script, opening, ANY, 1, WAVES * WAVE);
  await opening.close();
}
const lastRow = {};
for (const script of [bare, ours]) {
  const times = [];
  for (let round = 0; round < 3 * ROUNDS; round++) {
    const opening = await opened(script, { kind: "rows" });
    times.push((await click(opening, "tr:last-child td", 1))[0]);
    await opening.close();
  }
  lastRow[script.name] = median(times);
}
await browser.close();
server.close();

const over = (script, figure) => median(script[figure]) - median(bare[figure]);
const table = scripts.slice(1).map((script) => ({
  script: script.version ? `${script.name} ${script.version}` : script.name,
  "brotli B": script.bytes.toLocaleString("en"),
  "click p50 µs": over(script, "p50").toFixed(0),
  "ours / it": (over(ours, "p50") / over(script, "p50")).toFixed(2),
  "script/click µs": over(script, "work").toFixed(0),
  "B/click sent": script.wires.wire.toLocaleString("en"),
  "B/click gzip": script.wires.gzip.toLocaleString("en"),
  [`of ${WAVES * WAVE} clicks`]: `${script.wires.clicks}`,
  "on any element": `${script.anywhere.clicks}`,
  "load ms 4x": over(script, "load").toFixed(1),
  "heap kB": over(script, "heap").toFixed(0),
}));
const names = Object.keys(table[0]);
const widths = names.map((name) => Math.max(name.length, ...table.map((row) => row[name].length)));
const line = (cells) => cells.map((cell, place) => (place ? cell.padStart(widths[place]) : cell.padEnd(widths[place]))).join("  ");
process.stderr.write("\n");
console.log(line(names));
for (const row of table) console.log(line(names.map((name) => row[name])));
console.log(`
click p50: what the page waits at a click on a link or button, median of ${CLICKS} and of ${ROUNDS} rounds, less ${bare.name}
script/click: all script time it causes, what is put off included; B/click: body bytes in waves of ${WAVE}, as sent and in gzip
load: script time until ${SETTLED_MS} ms after load, CPU ${THROTTLE}x slower; heap: after garbage collection; both less the bare page's
first click in the last of 10,000 rows: ${((lastRow[ours.name] - lastRow[bare.name]) / 1_000).toFixed(2)} ms more than that listener`);
console.log(`refused requests to other addresses: ${[...refused].join(", ") || "none"}`);
if (!hasPeers) console.log("Without peers. With them: make bench-snippet");
