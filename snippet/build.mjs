// Builds dist/expost.js with its compressed copies and dist/stub.js, and prints their sizes. With --check it builds into
// memory and fails when what is committed is stale or too big.
import { readFileSync, writeFileSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";

const MAX_BROTLI_BYTES = 5_120;

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

const bundle = async (entry, format) => {
  const { outputFiles } = await build({
    entryPoints: [path(entry)],
    bundle: true,
    write: false,
    format,
    target: "es2020",
    legalComments: "none",
  });
  return outputFiles[0].text;
};

const small = async (code) => {
  const { code: minified } = await minify(code, {
    ecma: 2020,
    toplevel: true,
    compress: { passes: 4, pure_getters: true, unsafe_arrows: true },
    mangle: true,
    format: { comments: false, ascii_only: true }, // whatever charset it is read in
  });
  return minified;
};

const brotli = (text) => brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length } });
const gzip = (text) => gzipSync(text, { level: 9 });

const core = await small(await bundle("src/main.ts", "iife"));
const stub = (await small(await bundle("src/stub.line.ts", "iife"))).trim();
const packed = { br: brotli(core), gz: gzip(core) };

console.log(`expost.js  ${core.length} bytes, ${packed.gz.length} gzip, ${packed.br.length} brotli (limit ${MAX_BROTLI_BYTES})`);
console.log(`stub.js    ${stub.length} bytes`);

const failures = [];
if (packed.br.length > MAX_BROTLI_BYTES) failures.push("expost.js is over its limit");
if (process.argv.includes("--check")) {
  // Compressed copies are compared by what they hold: other versions of Node compress to other bytes.
  const committed = (name, unpack = (bytes) => bytes) => unpack(readFileSync(path(`dist/${name}`))).toString();
  const stale = [
    ["expost.js", committed("expost.js") !== core],
    ["expost.js.br", committed("expost.js.br", brotliDecompressSync) !== core],
    ["expost.js.gz", committed("expost.js.gz", gunzipSync) !== core],
    ["stub.js", committed("stub.js") !== stub],
  ];
  for (const [name, isStale] of stale) if (isStale) failures.push(`dist/${name} is stale: run npm run build and commit it`);
} else {
  mkdirSync(path("dist"), { recursive: true });
  writeFileSync(path("dist/expost.js"), core);
  writeFileSync(path("dist/expost.js.br"), packed.br);
  writeFileSync(path("dist/expost.js.gz"), packed.gz);
  writeFileSync(path("dist/stub.js"), stub);
}
for (const failure of failures) console.error(failure);
process.exitCode = failures.length ? 1 : 0;
