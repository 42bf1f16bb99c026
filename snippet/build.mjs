// Builds what pages load: dist/expost.js, the files that it loads later where the tag asks for them, dist/stub.js; each file
// but the last with its compressed copies. Prints their sizes. With --check it builds into memory and fails when what is
// committed is stale or too big.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";
import { minify } from "@swc/core";
import { build } from "esbuild";
import { notice } from "./notice.mjs";

const LIMITS = { "expost.js.br": 5_120, "expost-more.js.br": 5_120, "expost-vitals.js.br": 4_096, "expost-definer.js.br": 12_288 };

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

// Properties that are nobody else's: neither on the wire nor in the browser's storage, and not handed to another file.
const OURS = /^(standing|numbers|whole|subject|rows|descriptor|previous|flags|first)$/;

const written = async (entry, define = {}) => {
  const { outputFiles } = await build({
    entryPoints: [path(entry)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2021",
    mangleProps: OURS,
    define,
    external: ["./expost-*.js"],
  });
  const { code } = await minify(outputFiles[0].text, {
    ecma: 2021,
    module: true,
    compress: { passes: 4, pure_getters: true, unsafe_arrows: true, toplevel: true },
    mangle: { toplevel: true },
    format: { ascii_only: true, comments: false }, // whatever charset it is read in
  });
  return code.trim();
};

// No name of ours among the page's, and no error either, however old or odd the browser.
const closed = (code) => `(()=>{try{${code.replace(/;$/, "")}}catch{}})()`;

// The name under which the collector serves these bytes for ever (collector/script.py, hash_of).
const nameOf = (code) => `expost-${createHash("sha256").update(code).digest("hex").slice(0, 16)}.js`;

// The window and the direct distances are those that suit so small a file.
const brotli = (text) => {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_NDIRECT, BROTLI_PARAM_SIZE_HINT } = constants;
  const params = { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_LGWIN]: 16, [BROTLI_PARAM_NDIRECT]: 1, [BROTLI_PARAM_SIZE_HINT]: text.length };
  return brotliCompressSync(text, { params });
};

// From the last to be loaded to the first: each holds the name of the next.
const vitals = notice + (await written("src/more/vitals.ts"));
const definer = await written("src/definer/main.ts");
const more = await written("src/more/main.ts", {
  VITALS: JSON.stringify("./" + nameOf(vitals)),
  DEFINER: JSON.stringify("./" + nameOf(definer)),
});
const core = closed(await written("src/main.ts", { MORE: JSON.stringify(nameOf(more)) }));
const stub = closed(await written("src/stub.line.ts"));

const texts = { "expost.js": core, "expost-more.js": more, "expost-vitals.js": vitals, "expost-definer.js": definer };
const files = { "stub.js": stub };
for (const [name, text] of Object.entries(texts)) {
  Object.assign(files, { [name]: text, [`${name}.br`]: brotli(text), [`${name}.gz`]: gzipSync(text, { level: 9 }) });
}
const sizes = Object.entries(files).map(([name, bytes]) => `${name} ${bytes.length}${name in LIMITS ? ` of ${LIMITS[name]}` : ""}`);
console.log(`Bytes: ${sizes.join(", ")}`);

const failures = Object.keys(LIMITS)
  .filter((name) => files[name].length > LIMITS[name])
  .map((name) => `dist/${name} is over its limit of ${LIMITS[name]} bytes`);

if (process.argv.includes("--check")) {
  // Compressed copies are compared by what they hold: other versions of Node compress to other bytes.
  const unpack = { br: brotliDecompressSync, gz: gunzipSync };
  for (const name of Object.keys(files)) {
    const [plain, packing] = name.split(/(?<=js)\./);
    const committed = readFileSync(path(`dist/${name}`));
    if ((unpack[packing]?.(committed) ?? committed).toString() !== files[plain]) {
      failures.push(`dist/${name} is stale: run npm run build and commit it`);
    }
  }
} else {
  mkdirSync(path("dist"), { recursive: true });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(path(`dist/${name}`), bytes);
}

for (const failure of failures) console.error(failure);
process.exitCode = failures.length ? 1 : 0;
