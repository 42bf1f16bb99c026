// Builds dist/expost.js with its compressed copies and dist/stub.js, and prints their sizes. With --check it builds into
// memory and fails when what is committed is stale or too big.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";

const MAX_BROTLI_BYTES = 5_120;

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

const written = async (entry) => {
  const { outputFiles } = await build({
    entryPoints: [path(entry)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2020",
    minifySyntax: true,
  });
  const { code } = await minify(outputFiles[0].text, {
    ecma: 2020,
    module: true,
    compress: { passes: 4, pure_getters: true, unsafe_arrows: true },
    format: { comments: false, ascii_only: true }, // whatever charset it is read in
  });
  // No name of ours among the page's, and no error either, however old or odd the browser.
  return `(()=>{try{${code.replace(/;$/, "")}}catch{}})()`;
};

const brotli = (text) =>
  brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length } });

const core = await written("src/main.ts");
const stub = await written("src/stub.line.ts");
const files = { "expost.js": core, "expost.js.br": brotli(core), "expost.js.gz": gzipSync(core, { level: 9 }), "stub.js": stub };
const sizes = Object.entries(files).map(([name, bytes]) => `${name} ${bytes.length}`);
console.log(`Bytes: ${sizes.join(", ")} (limit of expost.js.br: ${MAX_BROTLI_BYTES})`);

const failures = [];
if (files["expost.js.br"].length > MAX_BROTLI_BYTES) failures.push("dist/expost.js.br is over its limit");

if (process.argv.includes("--check")) {
  // Compressed copies are compared by what they hold: other versions of Node compress to other bytes.
  const unpack = { "expost.js.br": brotliDecompressSync, "expost.js.gz": gunzipSync };
  for (const name of Object.keys(files)) {
    const committed = readFileSync(path(`dist/${name}`));
    const text = (unpack[name]?.(committed) ?? committed).toString();
    if (text !== (name === "stub.js" ? stub : core)) failures.push(`dist/${name} is stale: run npm run build and commit it`);
  }
} else {
  mkdirSync(path("dist"), { recursive: true });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(path(`dist/${name}`), bytes);
}

for (const failure of failures) console.error(failure);
process.exitCode = failures.length ? 1 : 0;
