// Builds what bundlers take: dist/adapters/*.js, each one file with its types beside it, which are committed; and npm/, which
// is not, because `npm pack` makes it: index.js with its types, and the files that it loads later. With --check it builds into memory and fails when an adapter is stale.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";
import { notice } from "./notice.mjs";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const SHARED = "exposure.ts"; // part of every adapter, none itself

const adapters = readdirSync(path("src/adapters")).filter((name) => name !== SHARED);
const PACKAGE = "package";
const LATER = { "more/main": "npm/more", "more/vitals": "npm/vitals", "definer/main": "npm/definer" };
const typed = [PACKAGE, ...adapters.map((name) => `adapters/${name.replace(/\.ts$/, "")}`)];
const entries = [...typed, ...Object.keys(LATER)];
const built = (entry) => LATER[entry] ?? (entry === PACKAGE ? "npm/index" : `dist/${entry}`);

// A tag loads the second file from where it came from itself, under a name of its version. A bundler finds it beside.
const besideIt = {
  name: "beside",
  setup: ({ onLoad }) =>
    onLoad({ filter: /src\/more\.ts$/ }, ({ path }) => {
      const [before, after, ...more] = readFileSync(path, "utf8").split("import(beside(MORE))");
      if (after === undefined || more.length) throw new Error("src/more.ts no longer loads the second file as this build knows it.");
      return { contents: `${before}import("./more.js")${after}`, loader: "ts" };
    }),
};

const bundled = async (entry) => {
  const { outputFiles } = await build({
    entryPoints: [path(`src/${entry}.ts`)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2020",
    charset: "utf8",
    minify: true,
    external: ["./more.js", "./vitals.js", "./definer.js"],
    plugins: [besideIt],
    define: { VITALS: '"./vitals.js"', DEFINER: '"./definer.js"' },
    ...(entry === "more/vitals" && { banner: { js: notice.trim() } }),
    // In a bundle there is no tag to read the key from.
    ...(entry === PACKAGE && { inject: [path("src/injected.ts")], define: { "document.currentScript": "currentTag" } }),
  });
  return outputFiles[0].text;
};

const files = {};
for (const entry of entries) files[`${built(entry)}.js`] = await bundled(entry);

const folder = mkdtempSync(join(tmpdir(), "expost-types-"));
try {
  const emit = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--rootDir", path("src"), "--outDir", folder];
  execFileSync(process.execPath, [path("node_modules/typescript/bin/tsc"), "-p", path("tsconfig.json"), ...emit], { stdio: "inherit" });
  for (const entry of typed) files[`${built(entry)}.d.ts`] = readFileSync(join(folder, `${entry}.d.ts`), "utf8");
} finally {
  rmSync(folder, { recursive: true });
}

const sizes = Object.entries(files).filter(([name]) => name.endsWith(".js")).map(([name, text]) => `${name} ${brotliCompressSync(text).length}`);
console.log(`Bytes in brotli: ${sizes.join(", ")}`);

for (const [name, text] of Object.entries(files)) {
  const target = path(name);
  if (!process.argv.includes("--check")) {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  } else if (name.startsWith("dist/") && readFileSync(target, "utf8") !== text) {
    console.error(`${name} is stale: run npm run build and commit it`);
    process.exitCode = 1;
  }
}
