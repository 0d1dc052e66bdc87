// Every screen in every theme, for everybody: pictures, accessibility, and the journeys of somebody without a mouse.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { until } from "./wait.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WITHIN_MS = 30_000;
const VOLTAGE = "/Demo/Power/battery_voltage";
const CURRENT = "/Demo/Power/battery_current";
/** What telemetry and people may say; a page shows it as it is. */
const HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script> \u202Eabc\u202C';

/** Screens of the hub: a name, an address, and what stands on it when it is there. */
const OF_HUB = [
  ["overview", "/", "Overview"],
  ["fleet-map", "/fleet", "Fleet"],
  ["fleet-matrix", "/fleet?view=matrix", "Fleet"],
  ["nodes", "/nodes", "Stations"],
  ["node", "/nodes/svalbard", /Svalbard/],
  ["node-configuration", "/nodes/svalbard?tab=configuration", /Svalbard/],
  ["parameters", "/m/demo/parameters", "Parameters"],
  ["alarms", "/m/demo/alarms", "Alarms"],
  ["rules", "/m/demo/rules", "Rules"],
  ["rules-detection", "/m/demo/rules?of=detection", "Rules"],
  ["deliveries", "/m/demo/deliveries", "Delivery log"],
  ["dashboards", "/m/demo/d", /Dashboards/],
  ["explore", `/m/demo/explore?${explored(VOLTAGE, CURRENT)}`, "Explore"],
  ["correlate", `/m/demo/explore?${explored(VOLTAGE, CURRENT)}&view=correlate`, "Explore"],
  ["statistics", `/m/demo/explore?${explored(VOLTAGE, CURRENT)}&view=statistics`, "Explore"],
  ["completeness", "/m/demo/data", "Completeness"],
  ["events", "/m/demo/events", "Events"],
  ["limits", "/m/demo/limits", "Limits"],
  ["packets", "/m/demo/packets", "Packets"],
  ["passes", "/m/demo/passes", "Passes"],
  ["orbit", "/m/demo/orbit?view=map", "Orbit"],
  ["admin-nodes", "/admin/nodes", "Administration"],
  ["admin-people", "/admin/people", "Administration"],
  ["admin-missions", "/admin/missions", "Administration"],
  ["admin-dictionaries", "/admin/dictionaries", "Administration"],
  ["admin-hub", "/admin/hub", "Administration"],
  ["help", "/help/technician", "Handbook"],
];

/** Screens of a station alone. */
const OF_STATION = [
  ["station", "/nodes", /.+/],
  ["parameters", "/m/demo/parameters", "Parameters"],
  ["alarms", "/m/demo/alarms", "Alarms"],
  ["rules-detection", "/m/demo/rules?of=detection", "Rules"],
  ["dashboards", "/m/demo/d", /Dashboards/],
  ["explore", `/m/demo/explore?${explored(VOLTAGE)}`, "Explore"],
  ["help", "/help/disconnected-site", "Handbook"],
];

function explored(...names) {
  return `p=${encodeURIComponent(JSON.stringify(names))}`;
}

export async function walkHub({ check, ground, visit }) {
  await check("places, elements, limits and an event are brought in", () => seed({ ground, visit }));
  await walk({ check, visit, screens: OF_HUB });
  await withoutMouse({ check, visit });
}

export async function walkStation({ check, visit }) {
  await walk({ check, visit, screens: OF_STATION });
}

async function seed({ ground, visit }) {
  const [first, second] = ground.stations.map(({ site }) => site);
  await ground.hub(["place", "set"], first, "--latitude", "78.23", "--longitude", "15.39");
  await ground.hub(["place", "set"], second, "--latitude=-72.01", "--longitude", "2.53");
  const file = ground.file("elements.txt", elements(new Date()));
  await ground.hub(["elements", "import"], "demo", file, "--spacecraft", "demo");
  await visit.tell("PUT", "/api/v1/missions/demo/limits", {
    note: "a limit that is always broken, to have an alarm",
    content: {
      kind: "changes",
      changes: [
        {
          kind: "overlay",
          parameter: VOLTAGE,
          contexts: [{ ranges: [{ severity: "critical", low: 1_000 }] }],
        },
      ],
    },
  });
  await visit.tell("POST", "/api/v1/missions/demo/events", {
    id: "00112233445566778899aabbccddeeff",
    severity: "warning",
    text: HOSTILE,
  });
  await until("an alarm to be open", 60_000, async () => {
    const { body } = await visit.ask("/api/v1/missions/demo/alarms?open=true&limit=10");
    return body.alarms.length > 0;
  });
}

async function walk({ check, visit, screens }) {
  const violations = [];
  for (const [name, path, heading] of screens)
    await check(`${name} is there in three themes`, async () => {
      await visit.show(path, heading);
      for (const theme of ["dark", "light", "contrast"]) {
        await visit.page.getByLabel("Colours").selectOption(theme);
        await visit.picture(`${name}-${theme}`);
        violations.push(...(await inspect(visit, name, theme)));
      }
      await visit.page.getByLabel("Colours").selectOption("dark");
      await visit.withoutRedAndGreen(() => visit.picture(`${name}-deuteranopia`));
      assert.notEqual(await visit.page.title(), "1");
      assert.notEqual(await visit.page.title(), "2");
    });
  await check("axe finds nothing serious on any screen in any theme", () => {
    assert.deepEqual(violations, []);
  });
}

/** What axe finds that is serious or worse, as lines. */
async function inspect(visit, name, theme) {
  await visit.page.evaluate(AXE);
  const found = await visit.page.evaluate(async () => {
    const found = await window.axe.run(document, { resultTypes: ["violations"] });
    return found.violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(
        ({ id, nodes }) =>
          `${id}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} (${node.any[0]?.message ?? ""})`)}`,
      );
  });
  return found.map((text) => `${name}, ${theme}: ${text}`);
}

/** Nothing here touches a mouse. */
async function withoutMouse({ check, visit }) {
  const { page } = visit;
  const { keyboard } = page;
  const press = async (locator, key = "Enter") => {
    await locator.focus();
    await keyboard.press(key);
  };
  await check("without a mouse: an alarm is acknowledged", async () => {
    await visit.show("/m/demo/alarms", "Alarms");
    await page
      .getByText(/battery_voltage/)
      .first()
      .waitFor();
    await page.getByRole("main").focus();
    await keyboard.press("j");
    await keyboard.press("a");
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    await dialog.getByRole("textbox", { name: "Note" }).focus();
    await keyboard.type("seen without a mouse");
    await press(dialog.getByRole("button", { name: /^Acknowledge/ }));
    await until("the alarm to be acknowledged", WITHIN_MS, async () => {
      const { body } = await visit.ask("/api/v1/missions/demo/alarms?open=true&limit=10");
      return body.alarms.some((alarm) => alarm.state === "active-acknowledged");
    });
    await visit.picture("acknowledged");
  });
  await check("without a mouse: a dashboard is built, moved, saved and found again", async () => {
    await visit.show("/m/demo/d", /Dashboards/);
    await press(page.getByRole("button", { name: "New dashboard…" }));
    const create = page.getByRole("dialog");
    await create.getByRole("textbox").first().focus();
    await keyboard.type("Keys only");
    await press(create.getByRole("button", { name: "Create" }));
    const toolbar = page.getByRole("toolbar", { name: "Edit" });
    await toolbar.waitFor();
    await press(toolbar.getByRole("button", { name: "Add a widget" }));
    const add = page.getByRole("dialog");
    await add.waitFor();
    await visit.picture("add-widget");
    await add.getByRole("radio", { name: /Text/ }).focus();
    await keyboard.press("Space");
    await add.getByRole("textbox").last().focus();
    await keyboard.type(HOSTILE);
    await press(add.getByRole("button", { name: "Add", exact: true }));
    const widget = page.getByLabel(/Arrow keys move it/).first();
    await widget.focus();
    await keyboard.press("ArrowRight");
    await keyboard.press("Shift+ArrowDown");
    await press(toolbar.getByRole("button", { name: /^Save/ }));
    await press(page.getByRole("dialog").getByRole("button", { name: /^Save/ }));
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await visit.show("/m/demo/d", /Dashboards/);
    await press(page.getByRole("link", { name: "Keys only" }));
    await page.getByText("<script>").first().waitFor();
    await visit.picture("dashboard-by-keys");
    assert.deepEqual(await inspect(visit, "dashboard", "dark"), []);
  });
  await check("without a mouse: samples are exported as CSV", async () => {
    await visit.show(`/m/demo/explore?${explored(VOLTAGE)}`, "Explore");
    const link = page.getByRole("link", { name: /CSV/ });
    await link.waitFor();
    const [download] = await Promise.all([page.waitForEvent("download"), press(link)]);
    const text = readFileSync(await download.path(), "utf8");
    assert.match(text, /battery_voltage/);
    assert.ok(text.split("\n").length > 5, text.slice(0, 300));
  });
  await check("without a mouse: time is moved, and everything is found by search", async () => {
    await visit.show("/m/demo/parameters", "Parameters");
    await page.getByRole("main").focus();
    await keyboard.press("[");
    await until("a fixed time in the address", WITHIN_MS, () => /[?&]t=20/.test(page.url()));
    await keyboard.press("l");
    await until("the address to be live", WITHIN_MS, () => !/[?&]t=20/.test(page.url()));
    await keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Search everything" }).waitFor();
    await keyboard.type("orbit");
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "Orbit", level: 1 }).waitFor();
    await keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys and symbols" }).waitFor();
    await keyboard.press("Escape");
  });
}

/** Two-line elements of a made-up satellite over the poles, with this moment as their epoch. */
function elements(now) {
  const begins = Date.UTC(now.getUTCFullYear(), 0, 1);
  const day = ((now.getTime() - begins) / 86_400_000 + 1).toFixed(8).padStart(12, "0");
  const year = String(now.getUTCFullYear() % 100).padStart(2, "0");
  return [
    `1 99999U 24001A   ${year}${day}  .00000000  00000-0  00000-0 0  999`,
    "2 99999  97.6000  10.0000 0010000  90.0000 270.0000 15.20000000    1",
  ]
    .map((line) => line + checksum(line))
    .join("\n");
}

function checksum(line) {
  return [...line].reduce((sum, c) => sum + (c === "-" ? 1 : Number(/\d/.test(c) ? c : 0)), 0) % 10;
}
