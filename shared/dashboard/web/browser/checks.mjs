// What must be true of the dashboard, step by step, as a person at mission control goes through it.
import assert from "node:assert/strict";
import { setTimeout as rest } from "node:timers/promises";
import { until } from "./wait.mjs";

/** One sample a second, in the demo spacecraft's power packet. */
const VOLTAGE = "/Demo/Power/battery_voltage";
const PERIOD_MS = 1000;
/** How long the hub is away, told by what the chip shows: well above a few samples. */
const OUTAGE_S = 10;
const WITHIN_MS = 30_000;
/** A killed hub recovers its database, the station finds it after a pause, the browser after another. */
const BACK_WITHIN_MS = 90_000;

/** The browser tells the console when nobody listens at the server's port. */
const CUT = [
  "ERR_CONNECTION_REFUSED",
  "ERR_CONNECTION_RESET",
  "ERR_EMPTY_RESPONSE",
  "ERR_SOCKET_NOT_CONNECTED",
  "Connection closed before receiving a handshake response",
];
/** Without a session the API answers so, and Chromium writes every such answer to the console. */
export const NO_SESSION = ["status of 401 (Unauthorized)"];

export async function checkHub({ check, ground, visit }) {
  await checkLogin({ check, visit, home: "/", code: () => ground.hubCode() });
  await checkStation({ check, visit, ground });
  await checkParameters({ check, visit });
  await checkPlot({ check, visit });
  await checkOutage({ check, visit, ground });
  await checkStationsAfter({ check, visit, ground });
  await checkSuspended({ check, visit, ground });
  await checkReplay({ check, visit });
}

export async function checkEdge({ check, ground, visit }) {
  await checkLogin({ check, visit, home: "/nodes", code: () => ground.nodeCode(ground.stations[0]) });
  await check("its own page shows what it received", async () => {
    await visit.go("Station");
    const { name } = ground.stations[0];
    await visit.page.getByRole("heading", { name, level: 1 }).waitFor();
    await growing(visit, visit.page.getByRole("region", { name: "Parts of the station" }), "received");
    const machine = visit.page.getByRole("region", { name: "Machine" });
    await machine.getByText(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/).waitFor();
    assert.match(await figureOf(visit, machine, "Certificate ends").textContent(), /20\d\d-.* left/);
    await visit.picture("station");
  });
  await checkParameters({ check, visit });
  await checkPlot({ check, visit });
}

export async function checkRun({ check, visit }) {
  await check("no foreign host, no breach of policy, no error in the console", async () => {
    assert.deepEqual(visit.problems, []);
  });
}

/** `home`: what a login leads to. */
async function checkLogin({ check, visit, home, code }) {
  const { page } = visit;
  await check("a wrong code is refused with its reason", () =>
    visit.expecting(NO_SESSION, async () => {
      await page.goto(`http://${visit.host}/`);
      await visit.logIn("AAAA-BBBB-CCCC");
      const alert = page.getByRole("alert");
      await alert.waitFor();
      assert.match(await alert.textContent(), /code/i);
      await visit.picture("wrong-code");
      await visit.logIn(await code());
      await visit.chip("live");
    }),
  );
  await check("the right code, typed, opens the dashboard and is no part of the address", async () => {
    assert.equal(new URL(page.url()).pathname, home);
    assert.equal(new URL(page.url()).hash, "");
    assert.match(await visit.chipText(), /^live/);
  });
}

async function checkStation({ check, visit, ground }) {
  await check("the stations page shows the node connected and its archive growing", async () => {
    await visit.go("Nodes");
    const row = visit.page.getByRole("row", { name: ground.stations[0].name });
    await row.getByText("connected", { exact: true }).waitFor();
    assert.equal(await row.getAttribute("class"), null);
    await visit.picture("stations");
    await row.getByRole("link", { name: ground.stations[0].site }).click();
    const parts = visit.page.getByRole("region", { name: "Parts of the station" });
    await growing(visit, parts, "archived at hub");
    await visit.picture("station");
  });
}

async function growing(visit, parts, label) {
  const figure = figureOf(visit, parts, label);
  const read = async () => (await figure.textContent()).replace(/[^\d]/g, "");
  const before = await visit.more(label, 0, read);
  await visit.more(label, before, read);
}

async function checkParameters({ check, visit }) {
  const { page } = visit;
  await check("parameters are found by search", async () => {
    await visit.go("Parameters");
    await page.getByRole("searchbox", { name: "Search parameters" }).pressSequentially("battery volt");
    await page.getByText(/^\d+ of 2\d\d$/).waitFor();
    await visit.value(VOLTAGE).waitFor();
    await until("packet headers to be out of sight", WITHIN_MS, async () => {
      return (await visit.value("/Demo/packet_version").count()) === 0;
    });
    assert.match(page.url(), /q=battery/);
    await visit.picture("search");
  });
  await check("a value changes while one looks at it", async () => {
    await visit.changing(VOLTAGE);
    await visit.picture("value-changed");
  });
}

async function checkPlot({ check, visit }) {
  const { page } = visit;
  await check("its plot has history, and grows", async () => {
    await page.getByRole("link", { name: /battery_voltage$/ }).click();
    await page.getByRole("button", { name: "−5 m", exact: true }).click();
    const plot = page.getByTestId("plot");
    const points = () => plot.getAttribute("data-points");
    const last = () => plot.getAttribute("data-last");
    await visit.more("points", 1, points);
    const newest = await visit.more("newest sample", 0, last);
    await visit.more("newest sample", newest + 2 * PERIOD_MS, last);
    await visit.chip("live");
    await visit.picture("plot");
  });
}

async function checkOutage({ check, visit, ground }) {
  const { page } = visit;
  const plot = page.getByTestId("plot");
  let frozen = "";
  let cutAfter = 0;
  await visit.expecting(CUT, async () => {
    await check("without its hub the page says so, and what it shows is stale and frozen", async () => {
      cutAfter = Number(await plot.getAttribute("data-last"));
      await ground.killHub();
      await visit.chip("reconnecting");
      assert.match(await visit.chipText(), /values frozen at \d\d:\d\d:\d\dZ$/);
      const tile = page.getByRole("region", { name: "Value of battery_voltage" });
      await until("the value to be stale", WITHIN_MS, async () => {
        return (await visit.value(VOLTAGE).getAttribute("data-stale")) === "true";
      });
      assert.match(await tile.textContent(), /stale/);
      frozen = await visit.value(VOLTAGE).textContent();
      await visit.picture("cut-plot");
    });
    await check("it stays frozen on every page", async () => {
      await until(`the chip to count ${OUTAGE_S} s`, WITHIN_MS, async () => {
        const counted = /reconnecting (\d+) s/.exec(await visit.chipText());
        return counted !== null && Number(counted[1]) >= OUTAGE_S;
      });
      assert.equal(await visit.value(VOLTAGE).textContent(), frozen);
      await visit.go("Nodes");
      const row = page.getByRole("row", { name: ground.stations[0].name });
      assert.equal(await row.getAttribute("class"), "stale");
      await visit.picture("cut-stations");
      await visit.go("Parameters");
      await visit.value(VOLTAGE).waitFor();
      assert.equal(await page.locator('[data-testid="value"][data-stale="false"]').count(), 0);
      await visit.picture("cut-parameters");
      await page.goBack();
      await page.goBack();
      await plot.waitFor();
    });
    await check("the hub comes back on its ports, and nobody has to log in again", async () => {
      await ground.startHub();
      await visit.chip("live", BACK_WITHIN_MS);
      assert.equal(await page.getByLabel("One-time code").count(), 0);
    });
  });
  await check("values change again", async () => {
    await visit.more(
      "newest sample",
      cutAfter + (OUTAGE_S + 5) * PERIOD_MS,
      () => plot.getAttribute("data-last"),
      BACK_WITHIN_MS,
    );
    await visit.changing(VOLTAGE);
  });
  await check("the plot has no gap over the outage", async () => {
    await page.getByRole("button", { name: "Show as table" }).click();
    const table = page.locator(".table-scroller", { has: page.getByRole("table") }).first();
    await table.waitFor();
    await until("the table to reach back before the outage without a gap", WITHIN_MS, async () => {
      const times = await tableTimes(table);
      return times[0] < cutAfter && widest(times) < 1.5 * PERIOD_MS;
    });
    await visit.picture("gap-filled-table");
    await page.getByRole("button", { name: "Show as table" }).click();
    await visit.picture("gap-filled-plot");
  });
  await check("the archive holds every second of the outage once", async () => {
    const from = new Date(cutAfter - 5 * PERIOD_MS).toISOString();
    const to = new Date(cutAfter + (OUTAGE_S + 5) * PERIOD_MS).toISOString();
    const asked = new URLSearchParams({ parameter: VOLTAGE, from, to, limit: "1000" });
    // Both stations hear the spacecraft, and each has every second once; the other one may be back first.
    let times = [];
    await until("every second of the outage from one station", BACK_WITHIN_MS, async () => {
      const { status, body } = await visit.ask(`/api/v1/missions/demo/samples?${asked}`);
      assert.equal(status, 200);
      const heard = body.samples.filter((sample) => sample.node === ground.stations[0].name);
      times = heard.map((sample) => Date.parse(sample.generation_time));
      return times.length >= OUTAGE_S + 9 && widest(times) < 1.5 * PERIOD_MS;
    });
    assert.equal(new Set(times).size, times.length);
  });
}

async function checkStationsAfter({ check, visit, ground }) {
  await check("the station is connected again, and nothing waits there", async () => {
    await visit.go("Nodes");
    const row = visit.page.getByRole("row", { name: ground.stations[0].name });
    await row.getByText("connected", { exact: true }).waitFor();
    await row.getByText("nothing waits").waitFor();
    await until("the station's row to be current", WITHIN_MS, async () => {
      return (await row.getAttribute("class")) === null;
    });
    await row.getByRole("link", { name: ground.stations[0].site }).click();
    const parts = visit.page.getByRole("region", { name: "Parts of the station" });
    await growing(visit, parts, "archived at hub");
    await visit.picture("stations-after");
  });
}

/** A tab that its browser suspends, and a hub that is cut meanwhile. */
async function checkSuspended({ check, visit, ground }) {
  const { page } = visit;
  await check(
    "after a suspension without a hub no value looks live, and nothing reloads or blocks",
    async () => {
      await visit.show("/m/demo/parameters?q=battery+volt", "Parameters");
      await visit.changing(VOLTAGE);
      await page.evaluate(() => {
        window.isSameDocument = true;
      });
      await visit.expecting(CUT, async () => {
        const wake = await visit.suspend();
        await ground.killHub();
        await rest(OUTAGE_S * 1000);
        await wake();
        // Its first drawing is what was on the screen before; from the next second on it must know better.
        await rest(1000);
        for (let looks = 0; looks < 20; looks += 1) {
          assert.equal(await page.locator('[data-testid="value"][data-stale="false"]').count(), 0);
          assert.doesNotMatch(await visit.chipText(), /^live/);
          await rest(100);
        }
        await visit.picture("woken-without-hub");
        await ground.startHub();
        await visit.chip("live", BACK_WITHIN_MS);
      });
      await visit.changing(VOLTAGE);
      assert.equal(await page.evaluate(() => window.isSameDocument), true, "the page loaded itself anew");
      assert.equal(await page.getByRole("dialog").count(), 0);
      assert.equal(await page.getByLabel("One-time code").count(), 0);
    },
  );
}

async function checkReplay({ check, visit }) {
  const { page } = visit;
  await check("a past minute is played again, every value out of the archive", async () => {
    const to = Math.floor(Date.now() / 1000) * 1000 - 5_000;
    const [from, end] = [to - 60_000, to].map((ms) => new Date(ms).toISOString());
    const asked = new URLSearchParams({ parameter: VOLTAGE, from, to: end, limit: "1000" });
    const { body } = await visit.ask(`/api/v1/missions/demo/samples?${asked}`);
    const archived = body.samples.map((sample) => sample.engineering);
    assert.ok(archived.length > 30, `${archived.length} samples between ${from} and ${end}`);
    await visit.show(`/m/demo/parameters?q=battery+volt&t=${from}~${end}~x5`, "Parameters");
    const played = new Set();
    await until("five values to be played", WITHIN_MS, async () => {
      const text = await visit.value(VOLTAGE).textContent();
      if (/\d/.test(text)) played.add(text);
      return played.size >= 5;
    });
    await visit.picture("replay");
    for (const text of played) {
      const digits = (/\.(\d+)/.exec(text)?.[1] ?? "").length;
      const isThere = archived.some(
        (value) => Math.abs(value - Number.parseFloat(text)) <= 0.51 * 10 ** -digits,
      );
      assert.ok(isThere, `${text} is not among ${archived}`);
    }
    await page.getByRole("button", { name: "LIVE", exact: true }).click();
    await visit.changing(VOLTAGE);
  });
}

/** What a list of figures says beside one label: several labels may say the same. */
function figureOf(visit, parts, label) {
  return parts.locator("dl > div", { has: visit.page.getByText(label, { exact: true }) }).locator("dd");
}

/** Unix milliseconds of the newest rows, oldest first. Only rows in sight are drawn: it is scrolled as a person would. */
async function tableTimes(table) {
  const texts = await table.evaluate(async (scroller) => {
    const found = new Set();
    for (let top = 0; top < 6_000; top += 200) {
      scroller.scrollTop = top;
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      for (const row of scroller.querySelectorAll("tbody th")) found.add(row.textContent);
    }
    return [...found];
  });
  return texts.map((text) => Date.parse(text.replace(" ", "T"))).toSorted((a, b) => a - b);
}

function widest(times) {
  return Math.max(...times.slice(1).map((time, index) => time - times[index]));
}
