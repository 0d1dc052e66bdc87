import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MockWorld } from "../../mock/world";
import { advance, openDashboard, settle, theSocket } from "../../test/app";
import type { Value } from "../../types";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });

function shown(parameter: string): HTMLElement {
  const found = screen.getAllByTestId("value").find((element) => element.dataset.parameter === parameter);
  if (found === undefined) throw new Error(`${parameter} is not on the page`);
  return found;
}

test("parameters show value, unit and age, and raw on hover", async () => {
  await openDashboard({ path: "/m/aurora-1/parameters" });
  const row = screen.getByRole("row", { name: /battery_voltage/ });
  expect(within(row).getByText("V")).toBeTruthy();
  expect(within(row).getByText(/ s ago$/)).toBeTruthy();
  expect(shown("/aurora/eps/battery_voltage").title).toMatch(/raw \d+/);
});

test("a value whose samples stopped is stale, its neighbours are not", async () => {
  await openDashboard({ path: "/m/aurora-1/parameters" });
  expect(shown("/aurora/thermal/tank_temperature").dataset.stale).toBe("true");
  expect(shown("/aurora/eps/battery_voltage").dataset.stale).toBe("false");
});

test("values change live", async () => {
  await openDashboard({ path: "/m/aurora-1/parameters" });
  const before = shown("/aurora/eps/battery_voltage").textContent;
  await advance(1000);
  expect(shown("/aurora/eps/battery_voltage").textContent).not.toBe(before);
});

test("a connection that falls silent freezes every value, and its return thaws them", async () => {
  await openDashboard({ path: "/m/aurora-1/parameters" });
  theSocket().fallSilent();
  await advance(3500);
  expect(shown("/aurora/eps/battery_voltage").dataset.stale).toBe("true");
  await advance(5000);
  expect(screen.getByTestId("connection-chip").dataset.state).toBe("live");
  expect(shown("/aurora/eps/battery_voltage").dataset.stale).toBe("false");
});

test("that values are not streamed is said in words, until there is room for them", async () => {
  const { live, router } = await openDashboard({ mock: { subscriptionsMax: 3 } });
  // The alarm bar has two already.
  const leave = live.want({ kind: "events", mission: "kestrel" });
  router.history.push("/m/aurora-1/parameters");
  await settle();
  expect(screen.getByRole("alert").textContent).toContain(
    "New values of aurora-1 are not streamed to this page",
  );
  leave();
  await advance(500);
  expect(screen.queryByRole("alert")).toBeNull();
  expect(theSocket().wanted("values")).toHaveLength(50);
});

test("search narrows the list and lives in the address", async () => {
  const { router } = await openDashboard({ path: "/m/aurora-1/parameters" });
  await user().keyboard("/");
  expect(document.activeElement).toBe(screen.getByRole("searchbox", { name: "Search parameters" }));
  await user().keyboard("wheel");
  await advance(300);
  expect(screen.getAllByTestId("value")).toHaveLength(2);
  expect(screen.getByText("2 of 200")).toBeTruthy();
  expect(router.state.location.search).toEqual({ q: "wheel" });
  expect(theSocket().wanted("values")).toEqual(["/aurora/adcs/wheel_1_speed", "/aurora/adcs/wheel_2_speed"]);
});

test("a search in the address is applied, and one without result says so", async () => {
  await openDashboard({ path: "/m/aurora-1/parameters?q=unobtainium" });
  expect(screen.getByText("No parameter matches “unobtainium”.")).toBeTruthy();
});

test("only rows in sight are drawn and subscribed", async () => {
  await openDashboard({ path: "/m/aurora-1/parameters" });
  expect(screen.getAllByTestId("value").length).toBeLessThan(60);
  expect(theSocket().wanted("values")).toHaveLength(50);
});

test("another mission is chosen by name, and its dictionary's problem is shown", async () => {
  await openDashboard({ path: "/m/aurora-1/parameters" });
  await user().selectOptions(screen.getByRole("combobox", { name: "Mission" }), "kestrel");
  await advance(500);
  expect(screen.getByRole("link", { name: /odometer/ })).toBeTruthy();
  expect(screen.getByRole("note").textContent).toContain("last good one is in use");
});

function rowOf(name: RegExp) {
  return within(screen.getByRole("row", { name }));
}

test("a violated limit is a word beside its shape, and a value within its limits is quiet, one without limits silent", async () => {
  await openDashboard({ path: "/m/aurora-1/parameters" });
  for (const [name, word, shape] of [
    [/panel_x_temperature/, "warning", "caution"],
    [/wheel_1_speed/, "distress", "serious"],
    [/wheel_2_speed/, "critical", "critical"],
    [/cpu_load/, "watch", "caution"],
  ] as const) {
    const cell = rowOf(name).getByText(word).closest("td");
    expect(cell?.querySelector(".symbol")?.classList.contains(shape)).toBe(true);
  }
  expect(rowOf(/battery_voltage/).getByText("normal").className).toBe("faint");
  expect(shown("/aurora/thermal/panel_x_temperature").title).toContain("limits: warning");
  expect(rowOf(/solar_array_power/).getByText("not monitored").className).toBe("visually-hidden");
  const noShape = "Not monitored: no limits apply to it.";
  expect(rowOf(/solar_array_power/).getByTitle(noShape)).toBeTruthy();
  expect(rowOf(/battery_voltage/).queryByTitle(noShape)).toBeNull();
});

test("what is no measurement is in brackets and struck, with the reason in words", async () => {
  await openDashboard({ path: "/m/aurora-1/parameters" });
  const outside = shown("/aurora/adcs/rate_x");
  expect(outside.querySelector("s")?.textContent).toMatch(/^[\d.]+$/);
  expect(outside.textContent).toMatch(/^\[[\d.]+\] \(invalid: outside valid range\)$/);
  expect(rowOf(/rate_x/).getByText("outside valid range")).toBeTruthy();
  expect(rowOf(/rate_y/).getByText("not a number")).toBeTruthy();
  expect(shown("/aurora/adcs/rate_y").querySelector("s")?.textContent).toBe("NaN");
  expect(shown("/aurora/thermal/panel_y_temperature").textContent).toContain("[no value]");
  expect(shown("/aurora/adcs/rate_z").querySelector("s")).toBeNull();
});

test("the mission says which dictionary and limits are in force, since when, and what follows", async () => {
  await openDashboard({ path: "/m/aurora-1/parameters" });
  expect(screen.getByTestId("mission-dictionary").textContent).toBe(
    "Dictionary version 2 (Aurora 1.1) in force since 2026-10-01 00:00:00Z · limits version 3 " +
      "· version 3 follows at 2026-12-01 00:00:00Z",
  );
});

test("another dictionary is read again as soon as the live connection tells of it", async () => {
  const { world } = await openDashboard({ path: "/m/kestrel/parameters" });
  const line = () => screen.getByTestId("mission-dictionary").textContent;
  expect(line()).toBe(
    "Dictionary version 1 (kestrel) in force from the beginning · limits of the dictionary",
  );
  const asked = () => world.requests.filter((request) => request.endsWith("/kestrel/parameters")).length;
  const before = asked();
  world.dictionaries.kestrel = { dictionary_version: 4 };
  theSocket().say({ kind: "dictionary", mission: "kestrel", dictionary_version: 4 });
  await advance(500);
  expect(line()).toContain("Dictionary version 4 in force");
  expect(asked()).toBe(before + 1);
});

test("descriptions are read again after a time without a connection", async () => {
  const { world } = await openDashboard({ path: "/m/kestrel/parameters" });
  world.dictionaries.kestrel = { dictionary_version: 4 };
  theSocket().close();
  await advance(5000);
  expect(screen.getByTestId("mission-dictionary").textContent).toContain("Dictionary version 4 in force");
});

test("an unknown mission is explained with its code", async () => {
  await openDashboard({ path: "/m/nowhere/parameters" });
  expect(screen.getByRole("alert").textContent).toContain("STO-API-UNKNOWN-MISSION");
});

test("at a fixed time each value is the one of that moment, with its age then", async () => {
  await openDashboard({
    path: "/m/aurora-1/parameters?t=2026-11-22T11:00:00Z~2026-11-22T12:00:00Z",
  });
  await advance(500);
  expect(screen.getByText(/Values as they were at 2026-11-22 12:00:00Z/)).toBeTruthy();
  const row = rowOf(/battery_voltage/);
  expect(row.getByText("12:00:00Z")).toBeTruthy();
  expect(row.getByText("0.0 s ago")).toBeTruthy();
  const before = shown("/aurora/eps/battery_voltage").textContent;
  await advance(3000);
  expect(shown("/aurora/eps/battery_voltage").textContent).toBe(before);
});

test("values of a moment that do not come are not called missing, and are asked for again", async () => {
  const { world } = await openDashboard({
    path: "/m/aurora-1/parameters?t=2026-11-22T11:00:00Z~2026-11-22T12:00:00Z",
    prepare: (prepared) => Object.assign(prepared, { refusing: /\/at\?/ }),
  });
  await advance(500);
  expect(screen.getByRole("alert").textContent).toContain("The question took too long");
  expect(rowOf(/battery_voltage/).queryByText("no sample")).toBeNull();
  expect(rowOf(/battery_voltage/).getAllByText("not known")).toHaveLength(2);
  world.refusing = null;
  await user().click(screen.getByRole("button", { name: "Try again" }));
  await advance(500);
  expect(screen.queryByRole("alert")).toBeNull();
  expect(rowOf(/battery_voltage/).getByText("12:00:00Z")).toBeTruthy();
});

test("while it is live a name asked for waits for its own answer, not for one that was under way", async () => {
  const silent = "/aurora/eps/battery_voltage";
  const { router } = await openDashboard({
    path: "/m/aurora-1/parameters?q=wheel",
    prepare: (prepared) =>
      Object.assign(prepared.find("aurora-1", silent) ?? {}, { silentSince: 20 * 3_600_000 }),
  });
  const socket = theSocket();
  const [id = ""] = socket.ids("parameters");
  const send = vi.spyOn(socket, "send").mockReturnValue();
  router.history.push("/m/aurora-1/parameters?q=battery_voltage");
  await advance(500);
  const snapshot = { kind: "snapshot" as const, id, mission: "aurora-1", samples: [], dropped: 0 };
  socket.say(snapshot);
  await advance(500);
  expect(send).toHaveBeenCalled();
  expect(shown(silent).textContent).toBe("waiting");
  socket.say({ kind: "opened", id, resumed: false });
  socket.say(snapshot);
  await advance(500);
  expect(shown(silent).textContent).toBe("no sample");
});

test("that there was no sample is said only of what the server was asked about and answered", async () => {
  const silent = "/aurora/eps/battery_voltage";
  const { world, router } = await openDashboard({
    path: "/m/aurora-1/parameters",
    prepare: (prepared) =>
      Object.assign(prepared.find("aurora-1", silent) ?? {}, { silentSince: 20 * 3_600_000 }),
  });
  world.latencyMs = 5_000;
  router.history.push("/m/aurora-1/parameters?t=2026-11-22T11:00:00Z~2026-11-22T12:00:00Z");
  await advance(1_000);
  expect(screen.queryByText("no sample")).toBeNull();
  expect(shown(silent).textContent).toBe("waiting");
  expect(shown("/aurora/adcs/wheel_1_speed").textContent).toBe("waiting");
  await advance(5_000);
  expect(shown(silent).textContent).toBe("no sample");
  expect(shown("/aurora/adcs/wheel_1_speed").textContent).not.toBe("waiting");
});

test("in a replay what has no sample does not wait anew each second", async () => {
  const silent = "/aurora/eps/battery_voltage";
  const { world } = await openDashboard({
    path: "/m/aurora-1/parameters?t=2026-11-22T11:00:00Z~2026-11-22T12:00:00Z~x1",
    prepare: (prepared) =>
      Object.assign(prepared.find("aurora-1", silent) ?? {}, { silentSince: 20 * 3_600_000 }),
  });
  world.latencyMs = 600;
  for (let tenths = 0; tenths < 40; tenths += 1) {
    await advance(100);
    expect(shown(silent).textContent).toBe("no sample");
  }
});

test("newest values that do not come are told", async () => {
  const { world } = await openDashboard({
    path: "/m/aurora-1/parameters",
    prepare: (prepared) => Object.assign(prepared, { refusing: /\/latest$/ }),
  });
  expect(screen.getByRole("alert").textContent).toContain("The question took too long");
  world.refusing = null;
  await advance(10_500);
  expect(screen.queryByRole("alert")).toBeNull();
});

test("in a replay the values are those of where it stands, and a quick one makes none of them stale", async () => {
  await openDashboard({
    path: "/m/aurora-1/parameters?t=2026-11-22T11:00:00Z~2026-11-22T12:00:00Z~x60",
  });
  await advance(500);
  const time = () => rowOf(/battery_voltage/).getByText(/^11:\d\d:\d\dZ$/).textContent ?? "";
  const before = time();
  expect(shown("/aurora/eps/battery_voltage").dataset.stale).toBe("false");
  await advance(2900);
  expect(time() > before).toBe(true);
  expect(shown("/aurora/eps/battery_voltage").dataset.stale).toBe("false");
});

test("several are selected by keyboard and taken to Explore", async () => {
  const { router } = await openDashboard({ path: "/m/aurora-1/parameters?q=wheel" });
  screen.getByRole("link", { name: /wheel_1_speed/ }).focus();
  await user().keyboard("xjx");
  await advance(300);
  expect(router.state.location.search).toEqual({
    q: "wheel",
    pick: ["/aurora/adcs/wheel_1_speed", "/aurora/adcs/wheel_2_speed"],
  });
  const link = screen.getByRole("link", { name: "Explore 2 selected" });
  expect(decodeURIComponent(link.getAttribute("href") ?? "")).toBe(
    '/m/aurora-1/explore?p=["/aurora/adcs/wheel_1_speed","/aurora/adcs/wheel_2_speed"]',
  );
  await user().keyboard("x");
  await advance(300);
  expect(screen.getByRole("link", { name: "Explore 1 selected" })).toBeTruthy();
});

test("values that are infinite, huge or older than the page, and a kind that changed, are shown for what they are", async () => {
  const { world } = await openDashboard({ path: "/m/aurora-1/parameters" });
  const strange = (path: string, engineering: Value, generation_time: string) => {
    const parameter = world.find("aurora-1", path);
    if (parameter === undefined) throw new Error("the mock has no such parameter");
    const id = theSocket().received.flatMap((r) =>
      r.kind === "open" && r.id.startsWith("values") ? r.id : [],
    )[0];
    const sample = { ...world.sample(parameter, Date.parse(generation_time)), engineering, raw: engineering };
    theSocket().say({ kind: "values", id: id ?? "", mission: "aurora-1", samples: [sample] });
  };
  strange("/aurora/eps/battery_voltage", 1e300, "2026-11-22T12:40:00Z");
  strange("/aurora/eps/battery_current", "Infinity", "2026-11-22T12:40:00Z");
  strange("/aurora/eps/solar_array_power", "<b>SAFE</b>\u202E", "2026-11-22T12:40:00Z");
  strange("/aurora/thermal/tank_temperature", 5, "2019-01-01T00:00:00Z");
  await advance(300);
  expect(shown("/aurora/eps/battery_voltage").textContent).toBe("1.0000e+300");
  expect(shown("/aurora/eps/battery_current").textContent).toBe("Infinity");
  expect(shown("/aurora/eps/solar_array_power").textContent).toBe("<b>SAFE</b>\u202E");
  expect(document.querySelector("td b")).toBeNull();
  expect(shown("/aurora/thermal/tank_temperature").textContent).not.toContain("5.0000");
});

test("without a mission in the address the first one is opened", async () => {
  const { router } = await openDashboard({ path: "/m" });
  await advance(500);
  expect(router.state.location.pathname).toBe("/m/aurora-1/parameters");
  expect(shown("/aurora/eps/battery_voltage")).toBeTruthy();
});

test("where there is no mission it is said why", async () => {
  vi.spyOn(MockWorld.prototype, "missions").mockReturnValue([]);
  const { router } = await openDashboard({ path: "/m" });
  await advance(500);
  expect(screen.getByText(/^No mission is configured, or none is shown to you/)).toBeTruthy();
  expect(router.state.location.pathname).toBe("/m");
});
