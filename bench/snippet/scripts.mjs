// What stands in the page: a listener that only reads the target, our script, and those of its peers.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { PEERS } from "../peers/peers.mjs";

const { build } = createRequire(new URL("../../snippet/package.json", import.meta.url))("esbuild");
const read = (name) => readFileSync(new URL(`../${name}`, import.meta.url));

const bundled = async (code) => {
  const options = { bundle: true, minify: true, write: false, format: "iife", target: "es2020", define: { "process.env.NODE_ENV": '"production"' } };
  const { outputFiles } = await build({ ...options, stdin: { contents: code, resolveDir: fileURLToPath(new URL("../peers", import.meta.url)) } });
  return outputFiles[0].text;
};

export const bare = {
  name: "a listener that reads the target",
  script: "addEventListener('click', event => { window.hit = event.composedPath()[0] }, true)",
};
// Most pages have a script of their own, which brings the browser's objects for elements to life before ours does.
export const reading = { name: "a script that reads an element", script: "window.seen = document.body" };
export const ours = {
  name: "expost",
  script: read("../snippet/dist/expost.js"),
  bytes: read("../snippet/dist/expost.js.br").length,
  clicks: (text) => JSON.parse(text).events.filter(({ type }) => type === "click").length,
};

export const hasPeers = existsSync(new URL("../peers/node_modules", import.meta.url)) && !process.argv.includes("--alone");
const packaged = async (peer) => {
  const script = await bundled(peer.code);
  const file = peer.sizeOf && read(`peers/node_modules/${peer.sizeOf}`);
  const { version } = JSON.parse(read(`peers/node_modules/${peer.name}/package.json`));
  return { ...peer, version, script, bytes: brotliCompressSync(file ?? script).length };
};

export const measured = [ours, ...(await Promise.all(hasPeers ? PEERS.map(packaged) : []))];
export const scripts = [bare, reading, ...measured]; // all that a page can be asked for with
