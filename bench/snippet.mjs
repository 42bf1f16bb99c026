// What the snippet costs: its size, what a click weighs on the wire, and what the page waits for at a click.
//
//     node bench/snippet.mjs
//
// Times are ratios to a listener that only reads `composedPath()[0]`, in the same run, on a page of some 2,000 elements.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { gunzipSync } from "node:zlib";

const { chromium } = createRequire(new URL("../snippet/package.json", import.meta.url))("playwright-core");
const script = readFileSync(new URL("../snippet/dist/expost.js", import.meta.url));
const packed = readFileSync(new URL("../snippet/dist/expost.js.br", import.meta.url));

const BATCHES = 5;
const BATCH = 20;
const CLICKS = 400;
const ROUNDS = 7;

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
const bare = "<script>window.expost = {}; addEventListener('click', event => { window.hit = event.composedPath()[0] }, true)</script>";
const stay = "<script>addEventListener('click', event => event.preventDefault())</script>"; // links would lead away
const tag = '<script async src="/expost.js" data-key="bench" data-consent="full"></script>';
const page = (head, content) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>${stay}${head}</head><body>${content}</body></html>`;
const pages = { "/bare": page(bare, body), "/tagged": page(tag, body), "/bare-rows": page(bare, rows), "/tagged-rows": page(tag, rows) };

const received = []; // bytes on the wire and the clicks in them
let arrived = () => {};
const server = createServer(async (request, response) => {
  if (request.method === "POST") {
    const chunks = await request.toArray();
    const bytes = Buffer.concat(chunks);
    const text = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
    received.push({ bytes: bytes.length, clicks: JSON.parse(text).events.filter(({ type }) => type === "click").length });
    response.writeHead(204).end();
    return arrived();
  }
  const [type, content] = request.url === "/expost.js" ? ["text/javascript", script] : ["text/html", pages[request.url] ?? ""];
  response.writeHead(200, { "content-type": type }).end(content);
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const origin = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const opened = async (path) => {
  const tab = await browser.newPage();
  await tab.goto(origin + path);
  await tab.waitForFunction("!!window.expost");
  return tab;
};

// Clicks on elements all over the page, as a script makes them; how long the page was busy with one, in microseconds.
const click = (tab, selector, count, seed = 1) =>
  tab.evaluate(
    ([selector, count, seed]) => {
      const all = document.querySelectorAll(selector);
      const before = performance.now();
      for (let n = 0; n < count; n++) {
        all[((n + seed) * 7919) % all.length].dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, composed: true, clientX: 9, clientY: 9 }));
      }
      return ((performance.now() - before) / count) * 1_000;
    },
    [selector, count, seed],
  );

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

const clicksReceived = () => received.reduce((sum, { clicks }) => sum + clicks, 0);
const tab = await opened("/tagged");
for (let batch = 1; batch <= BATCHES; batch++) {
  const all = new Promise((done) => (arrived = () => clicksReceived() >= batch * BATCH && done()));
  await click(tab, "body *", BATCH, batch * BATCH);
  await all;
}
const full = received.filter(({ clicks }) => clicks === BATCH);
await tab.close();

const times = {};
for (let round = 0; round < ROUNDS; round++) {
  for (const path of ["/bare", "/tagged"]) {
    const tab = await opened(path);
    (times[path] ??= []).push(await click(tab, "body *", CLICKS));
    await tab.close();
  }
  for (const path of ["/bare-rows", "/tagged-rows"]) {
    const tab = await opened(path);
    (times[path] ??= []).push(await click(tab, "tr:last-child td", 1));
    await tab.close();
  }
}
await browser.close();
server.close();

const ratio = (path) => median(times[`/tagged${path}`]) / median(times[`/bare${path}`]);
const added = (path) => median(times[`/tagged${path}`]) - median(times[`/bare${path}`]);
console.log(`script, brotli                         ${packed.length} bytes (${script.length} plain)`);
console.log(`a click on the wire, batches of ${BATCH}     ${Math.round(full.reduce((sum, { bytes }) => sum + bytes, 0) / full.length / BATCH)} bytes gzip`);
console.log(`a click in the page                    ${ratio("").toFixed(1)} x a listener that reads the target (${added("").toFixed(0)} µs more)`);
console.log(`first click, last of 10,000 rows       ${(added("-rows") / 1_000).toFixed(2)} ms more than that listener`);
