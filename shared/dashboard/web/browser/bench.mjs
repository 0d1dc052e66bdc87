// The dashboard measured in a real browser. `just bench browser` fills a hub and starts this for each part:
//   node browser/bench.mjs PART --hub HOST:PORT ... with a one-time code on standard input
// It prints a figure a line as JSON, which the caller prints as figures are printed.
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { live } from "./bench/live.mjs";
import { map } from "./bench/map.mjs";
import { Probe } from "./bench/probe.mjs";
import { table } from "./bench/table.mjs";
import { year } from "./bench/year.mjs";
import { NO_SESSION } from "./checks.mjs";
import { launchChromium } from "./chromium.mjs";
import { Visit } from "./visit.mjs";

/** What is measured on it, and the size of the screen: as many plots as are asked for are all in sight. */
const PARTS = {
  live: { measure: live, viewport: { width: 2560, height: 1680 } },
  map: { measure: map, viewport: { width: 1920, height: 1080 } },
  table: { measure: table, viewport: { width: 1920, height: 1080 } },
  year: { measure: year, viewport: { width: 1920, height: 1080 } },
};

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: Object.fromEntries(
    ["events", "from", "hub", "minutes", "mission", "nodes", "parameter", "parameters", "to", "visits"].map(
      (name) => [name, { type: "string" }],
    ),
  ),
});
const part = PARTS[positionals[0]];
if (part === undefined || options.hub === undefined) {
  console.error(
    `usage: node browser/bench.mjs ${Object.keys(PARTS).join("|")} --hub HOST:PORT, code on stdin`,
  );
  process.exit(2);
}

const code = (await text(process.stdin)).trim();
const browser = await launchChromium();
try {
  const visit = await Visit.open(browser, options.hub, { viewport: part.viewport });
  const probe = await Probe.on(visit.page);
  await visit.expecting(NO_SESSION, async () => {
    await visit.page.goto(`http://${visit.host}/`);
    await visit.logIn(code);
    await visit.chip("live");
  });
  const common = {
    chromium: browser.version(),
    viewport: `${part.viewport.width}x${part.viewport.height}`,
  };
  const tell = (metric, values, unit, context = {}) =>
    console.log(
      JSON.stringify({ metric, values: [values].flat(), unit, context: { ...context, ...common } }),
    );
  await part.measure({ visit, probe, tell, options });
  if (visit.problems.length > 0)
    throw new Error(`what was measured was not in order:\n${visit.problems.join("\n")}`);
} finally {
  await browser.close();
}
