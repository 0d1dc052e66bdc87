// Fails when the built dashboard is heavier than its budget (gzip bytes, scripts and styles).
// The first view is what index.html names: its scripts, preloads and styles.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const FIRST_VIEW_KB_MAX = 180;
const ALL_KB_MAX = 650;

const page = readFileSync("dist/index.html", "utf8");
const sizes = readdirSync("dist/assets")
  .filter((name) => name.endsWith(".js") || name.endsWith(".css"))
  .map((name) => ({
    name,
    kb: gzipSync(readFileSync(`dist/assets/${name}`), { level: 9 }).length / 1024,
    first: page.includes(`/assets/${name}`),
  }))
  .sort((a, b) => b.kb - a.kb);

const total = (rows) => rows.reduce((sum, row) => sum + row.kb, 0);
const first = total(sizes.filter((row) => row.first));
const all = total(sizes);

for (const row of sizes)
  console.log(`${row.kb.toFixed(1).padStart(8)} KB  ${row.first ? "first" : "later"}  ${row.name}`);
console.log(`${first.toFixed(1).padStart(8)} KB  first view (at most ${FIRST_VIEW_KB_MAX})`);
console.log(`${all.toFixed(1).padStart(8)} KB  all (at most ${ALL_KB_MAX})`);

if (first > FIRST_VIEW_KB_MAX || all > ALL_KB_MAX) {
  console.error("over budget: load the heavy part only on the route that needs it");
  process.exit(1);
}
