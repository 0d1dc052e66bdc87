// The dashboard in a real browser, against real processes: npm run browser
// Pictures of each step are left in artefacts/.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { checkEdge, checkHub, checkRun } from "./checks.mjs";
import { launchChromium } from "./chromium.mjs";
import { Ground } from "./ground.mjs";
import { Visit } from "./visit.mjs";
import { walkHub, walkStation } from "./walk.mjs";

const ARTEFACTS = join(import.meta.dirname, "../artefacts/browser");

let interrupted = null;
const interruption = new Promise((_, reject) => {
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"])
    process.on(signal, () => {
      interrupted = signal;
      reject(new Error(`stopped by ${signal}`));
    });
});
interruption.catch(() => {});

let passed = 0;
let failed = 0;

/** A later check stands on the earlier ones: the first failure ends the run. */
async function check(name, body) {
  const begun = performance.now();
  const seconds = () => `${((performance.now() - begun) / 1000).toFixed(1).padStart(6)} s`;
  try {
    await (interrupted === null ? Promise.race([body(), interruption]) : body());
    passed += 1;
    console.log(`ok    ${seconds()}  ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${seconds()}  ${name}`);
    throw error;
  }
}

const at = (place) => (name, body) => check(`${place}: ${name}`, body);

rmSync(ARTEFACTS, { recursive: true, force: true });
mkdirSync(ARTEFACTS, { recursive: true });
const ground = new Ground([
  { name: "svalbard", site: "Svalbard, Norway" },
  { name: "troll", site: "Troll, Antarctica" },
]);
let browser = null;
let visit = null;
try {
  await check("a hub, a station and a spacecraft start", () => ground.start());
  browser = await launchChromium();
  visit = await Visit.open(browser, ground.hubHttp, { folder: join(ARTEFACTS, "hub") });
  await checkHub({ check: at("hub"), ground, visit });
  await walkHub({ check: at("hub"), ground, visit });
  await checkRun({ check: at("hub"), visit });
  await visit.close();
  visit = await Visit.open(browser, ground.stations[0].http, { folder: join(ARTEFACTS, "edge") });
  await checkEdge({ check: at("edge"), ground, visit });
  await walkStation({ check: at("edge"), visit });
  await checkRun({ check: at("edge"), visit });
  await visit.close();
} catch (error) {
  console.error(error);
  if (interrupted === null) {
    console.error(ground.logs().join("\n\n"));
    await visit?.picture("failure").catch((reason) => console.error(`no picture: ${reason.message}`));
  }
} finally {
  await browser?.close();
  await check("everything stops in order", () => ground.stop()).catch((error) => console.error(error));
}
console.log(`\npictures are in ${ARTEFACTS}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
