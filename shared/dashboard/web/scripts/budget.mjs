// Fails when the built dashboard is heavier than its budget: gzip bytes of scripts and styles, and all that is embedded.
// The first view is what index.html names: its scripts, preloads and styles.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const FIRST_VIEW_KB_MAX = 180;
const ALL_KB_MAX = 650;
const EMBEDDED_KB_MAX = 1_500;

const page = gunzipSync(readFileSync("dist/index.html.gz")).toString();
const files = readdirSync("dist", { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => {
    const name = join(entry.parentPath, entry.name).slice("dist/".length);
    const served = name.replace(/\.gz$/, "");
    return { name: served, kb: statSync(`dist/${name}`).size / 1024, first: page.includes(`/${served}`) };
  })
  .sort((a, b) => b.kb - a.kb);

const sum = (rows) => rows.reduce((total, row) => total + row.kb, 0);
const code = files.filter(({ name }) => name.endsWith(".js") || name.endsWith(".css"));
const measured = [
  [sum(code.filter((row) => row.first)), FIRST_VIEW_KB_MAX, "first view"],
  [sum(code), ALL_KB_MAX, "all scripts and styles"],
  [sum(files), EMBEDDED_KB_MAX, "embedded"],
];

for (const row of code)
  console.log(`${row.kb.toFixed(1).padStart(8)} KB  ${row.first ? "first" : "later"}  ${row.name}`);
for (const [kb, most, what] of measured)
  console.log(`${kb.toFixed(1).padStart(8)} KB  ${what} (at most ${most})`);

if (measured.some(([kb, most]) => kb > most)) {
  console.error("over budget: load the heavy part only on the route that needs it");
  process.exit(1);
}
