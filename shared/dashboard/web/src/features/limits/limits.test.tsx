import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { limitsStateOf } from "../../mock/limits";
import { advance, openDashboard } from "../../test/app";
// Loaded beforehand: the page comes lazily, and time stands still here.
import "./LimitsPage";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  sessionStorage.clear();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });
const BATTERY = "/aurora/eps/battery_voltage";
const PATH = `/m/aurora-1/limits?parameter=${encodeURIComponent(BATTERY)}`;

const field = (name: string) => screen.getByRole<HTMLInputElement>("textbox", { name });

async function type(name: string, text: string): Promise<void> {
  await user().clear(field(name));
  if (text !== "") await user().type(field(name), text);
}

async function press(name: string): Promise<void> {
  await user().click(screen.getByRole("button", { name }));
  await advance(500);
}

test("each parameter stands with its limits, and the search stands in the address", async () => {
  const { router } = await openDashboard({ path: "/m/aurora-1/limits" });
  const battery = screen.getByRole("row", { name: /battery_voltage/ });
  expect(within(battery).getByText("27 … 31")).toBeTruthy();
  expect(within(battery).getByText("25 … 33")).toBeTruthy();
  expect(within(battery).getByText("set here")).toBeTruthy();
  expect(within(screen.getByRole("row", { name: /cpu_load/ })).getByText("up to 80")).toBeTruthy();
  await user().click(screen.getByRole("button", { name: "With limits only" }));
  await user().type(screen.getByRole("searchbox", { name: "Search parameters" }), "tank");
  await advance(500);
  expect(screen.getByText(/^1 of \d+$/)).toBeTruthy();
  expect(router.state.location.search).toEqual({ limited: true, q: "tank" });
});

test("changed limits are tried beside those in force, and saved with a reason as a new version", async () => {
  const { world } = await openDashboard({ path: PATH });
  await type("warning from", "29");
  await type("warning to", "30");
  await press("Try");
  const trial = screen.getByRole("region", { name: "Trial" });
  const row = within(trial).getByRole("row", { name: /battery_voltage/ });
  expect(within(row).getByText("15 alarms")).toBeTruthy();
  expect(within(row).getByText("45 alarms")).toBeTruthy();
  expect(within(row).getByText(/^40 warning/)).toBeTruthy();
  expect(screen.getByRole("button", { name: "Save as a new version" }).title).toBe("Say why in a few words.");
  await type("Why", "tighter for the eclipse");
  await type("warning to", "30.5");
  expect(screen.getByText(/The changes are others since/)).toBeTruthy();
  await press("Save as a new version");
  expect(limitsStateOf(world).newest?.version).toMatchObject({ number: 3, note: "tighter for the eclipse" });
  const battery = screen.getByRole("row", { name: /battery_voltage/ });
  expect(within(battery).getByText("29 … 30.5")).toBeTruthy();
  expect(screen.getByText("version 3 in force")).toBeTruthy();
  expect(screen.queryByRole("region", { name: "Changes that are not saved" })).toBeNull();
});

test("what cannot be a limit is said at once, and neither tried nor saved", async () => {
  const { world } = await openDashboard({ path: PATH });
  await type("critical from", "30");
  expect(screen.getByText("critical must hold all of warning, which is less severe.")).toBeTruthy();
  await type("Why", "x");
  await press("Try");
  await press("Save as a new version");
  expect(world.requests.filter((request) => !request.startsWith("GET"))).toEqual([]);
});

test("when somebody else saved first nothing typed is lost, and both are shown", async () => {
  const { world } = await openDashboard({ path: PATH });
  await type("warning to", "30");
  await type("Why", "mine");
  const content = {
    kind: "changes" as const,
    changes: [{ kind: "dictionary" as const, parameter: BATTERY }],
  };
  limitsStateOf(world).put({ note: "theirs", content }, "Tom");
  await press("Save as a new version");
  const conflict = screen.getByRole("region", { name: "Saved by somebody else" });
  expect(within(conflict).getByText("as the dictionary says")).toBeTruthy();
  expect(within(conflict).getByText("warning 27 … 30, critical 25 … 33")).toBeTruthy();
  expect(field("warning to").value).toBe("30");
  await press("Go on from version 3");
  expect(screen.queryByText("STO-LIMITS-CONFLICT")).toBeNull();
  await press("Save as a new version");
  expect(limitsStateOf(world).newest?.version).toMatchObject({ number: 4, note: "mine" });
});

test("a login that ends in between loses no number", async () => {
  const { world } = await openDashboard({ path: PATH });
  await type("warning to", "30");
  await type("Why", "mine");
  world.loggedIn = false;
  await press("Save as a new version");
  expect(screen.getByText(/The session is over/)).toBeTruthy();
  expect(sessionStorage.getItem("sto-draft operator limits aurora-1")).toContain('"high":"30"');
});

test("limits go back to the dictionary's, and what is typed can be thrown away", async () => {
  const { world } = await openDashboard({ path: PATH });
  await press("Back to the dictionary's");
  expect(screen.getByText("1 parameter changed")).toBeTruthy();
  await press("Discard all");
  expect(screen.queryByText("1 parameter changed")).toBeNull();
  await press("Back to the dictionary's");
  await type("Why", "as designed");
  await press("Save as a new version");
  expect(limitsStateOf(world).newest?.overlay).toEqual([]);
});

test("limits with a condition stand before those without", async () => {
  const { world } = await openDashboard({ path: PATH });
  await press("Add limits with a condition");
  const [condition] = screen.getAllByRole("textbox", { name: "While (empty: always)" });
  await user().type(condition as HTMLElement, "MODE=SAFE");
  await type("Why", "safe mode");
  await type("In force from (UTC)", "2026-12-01 12:00");
  await press("Save as a new version");
  expect(limitsStateOf(world).newest?.version.effective_from).toBe("2026-12-01T12:00:00.000Z");
  const [battery] = limitsStateOf(world).newest?.overlay ?? [];
  expect(battery?.contexts.map(({ context }) => context)).toEqual(["MODE=SAFE", null]);
});

test("two versions are compared parameter by parameter", async () => {
  await openDashboard({ path: "/m/aurora-1/limits?from=1&to=2" });
  const table = screen.getByRole("table", { name: "Changes from version 1 to 2" });
  const row = within(table).getByRole("row", { name: /battery_voltage/ });
  expect(within(row).getByText("warning 26 … 32")).toBeTruthy();
  expect(within(row).getByText("warning 27 … 31, critical 25 … 33")).toBeTruthy();
});

test("what is no number has no limits here, and a viewer is told why nothing can be changed", async () => {
  const mode = encodeURIComponent("/aurora/adcs/mode");
  await openDashboard({ path: `/m/aurora-1/limits?parameter=${mode}` });
  expect(screen.getByText(/Limits set here are of numbers; mode is of kind enumeration/)).toBeTruthy();
});

test("a viewer and a station are told why nothing can be changed", async () => {
  await openDashboard({ path: PATH, mock: { role: "viewer" } });
  expect(screen.getByText("Only operators may do this; operator is logged in as viewer.")).toBeTruthy();
  expect(screen.getByRole("group", { name: "Limits that are to be" })).toHaveProperty("disabled", true);
});

test("a parameter that the dictionary does not have any more is named", async () => {
  await openDashboard({ path: "/m/aurora-1/limits?parameter=%2Fgone" });
  expect(screen.getByText(/The dictionary in force has no parameter/).textContent).toContain("/gone");
});

test("trying again asks for what failed", async () => {
  const { world } = await openDashboard({
    path: "/m/aurora-1/limits",
    prepare: (prepared) => Object.assign(prepared, { refusing: /\/parameters$/ }),
  });
  expect(screen.getByRole("alert").textContent).toContain("Ask for less, or try again.");
  world.refusing = null;
  await press("Try again");
  expect(screen.getByRole("row", { name: /battery_voltage/ })).toBeTruthy();
});
