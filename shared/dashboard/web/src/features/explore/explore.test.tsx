import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useEffect } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { advance, type Options, openDashboard } from "../../test/app";
import type { ChartProps } from "../plot/Chart";

let drawn: string[][] = [];

// There is no canvas here; what the charts are given to draw is what counts.
vi.mock("../plot/Chart", () => ({
  Chart: ({ lines, onWidth }: ChartProps) => {
    drawn.push(lines.map((line) => line.parameter.short_name));
    useEffect(() => onWidth(800), [onWidth]);
    return null;
  },
}));

beforeEach(() => {
  vi.useFakeTimers();
  drawn = [];
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });
const RANGE = "2026-11-22T11:00:00Z~2026-11-22T12:00:00Z";
const [X, Y, TANK] = [
  "/aurora/thermal/panel_x_temperature",
  "/aurora/thermal/panel_y_temperature",
  "/aurora/thermal/tank_temperature",
];
const WHEEL = "/aurora/adcs/wheel_1_speed";

async function openExplore(
  search: { p?: string[]; t?: string; view?: string; table?: true } = {},
  mock = {},
  prepare: Options["prepare"] = () => {},
) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(search))
    query.set(name, typeof value === "string" ? value : JSON.stringify(value));
  const opened = await openDashboard({ path: `/m/aurora-1/explore?${query}`, mock, prepare });
  // The page's code is loaded on demand, over real promises.
  await vi.dynamicImportSettled();
  await advance(1500);
  return opened;
}

test("nothing chosen says what to do, and a parameter is added by keyboard", async () => {
  const { router } = await openExplore();
  expect(screen.getByText(/Nothing is chosen yet/)).toBeTruthy();
  await user().click(screen.getByRole("searchbox", { name: "Search for a parameter to add" }));
  await user().keyboard("rate_z{Enter}");
  await advance(500);
  expect(router.state.location.search).toMatchObject({ p: ["/aurora/adcs/rate_z"] });
  await user().keyboard("wheel{ArrowDown}{ArrowDown}{Enter}");
  await advance(500);
  expect(router.state.location.search).toMatchObject({
    p: ["/aurora/adcs/rate_z", "/aurora/adcs/wheel_2_speed"],
  });
});

test("parameters of one unit share a chart, others have their own", async () => {
  await openExplore({ p: [X, WHEEL, Y] });
  expect(
    screen.getByRole("region", { name: "Plot of panel_x_temperature, panel_y_temperature" }),
  ).toBeTruthy();
  expect(screen.getByRole("region", { name: "Plot of wheel_1_speed" })).toBeTruthy();
  expect(drawn).toContainEqual(["panel_x_temperature", "panel_y_temperature"]);
});

test("a value that did not come is not called one that was not received", async () => {
  await openExplore({ p: [TANK], t: RANGE }, {}, (world) => Object.assign(world, { refusing: /\/at\?/ }));
  const tile = within(screen.getByRole("region", { name: "Value of tank_temperature" }));
  expect(tile.getByText("not known")).toBeTruthy();
  expect(tile.queryByText(/nothing received|no sample/)).toBeNull();
  expect(screen.getByRole("alert").textContent).toContain("The question took too long");
});

test("a parameter is removed", async () => {
  const { router } = await openExplore({ p: [X, WHEEL] });
  await user().click(screen.getByRole("button", { name: "Remove wheel_1_speed" }));
  await advance(500);
  expect(router.state.location.search).toMatchObject({ p: [X] });
  expect(screen.queryByRole("region", { name: "Value of wheel_1_speed" })).toBeNull();
});

test("the table twin has a column for each parameter and a row for each moment", async () => {
  await openExplore({ p: [X, WHEEL], t: RANGE, table: true });
  const table = within(screen.getByRole("table", { name: "Values of panel_x_temperature, wheel_1_speed" }));
  expect(table.getAllByRole("columnheader")).toHaveLength(3);
  const [, first, second] = table.getAllByRole("row");
  expect(first?.textContent).toMatch(/^2026-11-22 1[12]:\d\d:\d\d.*°C.*rpm$/);
  expect((first?.textContent ?? "") > (second?.textContent ?? "")).toBe(true);
  expect(table.getAllByRole("row").length).toBeLessThan(60);
});

test("two parameters are correlated, with the coefficient in words, and the pairs as a table", async () => {
  await openExplore({ p: [X, TANK], t: RANGE, view: "correlate" });
  const cloud = within(screen.getByRole("region", { name: "tank_temperature against panel_x_temperature" }));
  expect(cloud.getByText(/^r = -?\d\.\d{3}$/)).toBeTruthy();
  expect(cloud.getByText(/rising together|falls as the other|no linear relation/)).toBeTruthy();
  expect(
    cloud.getByRole("img", { name: /^tank_temperature against panel_x_temperature, 500 pairs/ }),
  ).toBeTruthy();
  await user().click(screen.getByRole("button", { name: "Show as table" }));
  await advance(300);
  const rows = within(screen.getByRole("table", { name: /^Pairs of/ })).getAllByRole("row");
  expect(rows[1]?.textContent).toMatch(/^2026-11-22 11:59:\d\dZ.*°C.*°C$/);
});

test("of several parameters each pair has a coefficient, and choosing one shows its cloud", async () => {
  const { router } = await openExplore({ p: [X, TANK, WHEEL], t: RANGE, view: "correlate" });
  const matrix = within(screen.getByRole("table", { name: "Coefficients of all pairs" }));
  await user().click(matrix.getByTitle("wheel_1_speed against tank_temperature"));
  await advance(300);
  expect(router.state.location.search).toMatchObject({ pair: [1, 2] });
  expect(screen.getByRole("region", { name: "wheel_1_speed against tank_temperature" })).toBeTruthy();
  await user().click(screen.getByRole("button", { name: "Swap axes" }));
  await advance(300);
  expect(router.state.location.search).toMatchObject({ pair: [2, 1] });
});

test("what a replay has not come to is in no pair", async () => {
  await openExplore({ p: [X, TANK], t: `${RANGE}~x1~2026-11-22T11:30:00Z`, view: "correlate" });
  expect(screen.getByText(/^250 pairs, each the means of 7.2 s, .* – 2026-11-22 11:29:52Z$/)).toBeTruthy();
});

test("text cannot be correlated, and says so", async () => {
  await openExplore({ p: [X, "/aurora/obc/software_version"], t: RANGE, view: "correlate" });
  expect(screen.getByText(/Choose two parameters with numbers/)).toBeTruthy();
});

test("statistics say what the samples were, and how long they were out of limits", async () => {
  await openExplore({ p: [X, "/aurora/adcs/rate_y", "/aurora/adcs/mode"], t: RANGE, view: "statistics" });
  const table = within(screen.getByRole("table", { name: "Statistics" }));
  const warm = table.getByRole("row", { name: /panel_x_temperature/ }).textContent ?? "";
  expect(warm).toMatch(/3,600.*°C.*3,600 of 3,600, 1 h 00 min$/);
  // What is no number is counted, and no mean is made of it; states have no mean either.
  expect(table.getByRole("row", { name: /rate_y/ }).textContent).toContain("3,600 (3,600 no number)");
  expect(table.getByRole("row", { name: /mode/ }).textContent).toMatch(/IDLE|NOMINAL|SAFE/);
  expect(table.getByRole("row", { name: /mode/ }).textContent).toMatch(/not monitored$/);
});

test("statistics of a replay are of what had been generated by then", async () => {
  const { world } = await openExplore({
    p: [X],
    t: `${RANGE}~x1~2026-11-22T11:30:00Z`,
    view: "statistics",
  });
  expect(world.requests.at(-1)).toContain("to=2026-11-22T11%3A30%3A00.000Z");
  expect(screen.getByRole("row", { name: /panel_x/ }).textContent).toContain("1,800");
});

test("what is shown is downloaded in three formats, and a station says where files are made", async () => {
  await openExplore({ p: [X, WHEEL], t: `${RANGE}~x1~2026-11-22T11:30:00Z` });
  const csv = new URL(screen.getByRole("link", { name: "CSV" }).getAttribute("href") ?? "", "http://hub");
  expect(csv.pathname).toBe("/api/v1/missions/aurora-1/export");
  expect(csv.searchParams.getAll("parameter")).toEqual([X, WHEEL]);
  expect(csv.searchParams.get("to")).toBe("2026-11-22T11:30:00.000Z");
  for (const name of ["JSON lines", "Parquet"]) expect(screen.getByRole("link", { name })).toBeTruthy();
});

test("nothing chosen is nothing to download", async () => {
  await openExplore();
  const button = screen.getByRole("button", { name: /^CSV/ });
  expect(button.getAttribute("aria-disabled")).toBe("true");
  expect(button.title).toBe("Choose a parameter first.");
});

test("more than twelve are not taken, and the field says why", async () => {
  const p = Array.from(
    { length: 14 },
    (_, index) => `/aurora/eps/array/string_${String(index + 1).padStart(2, "0")}_current`,
  );
  await openExplore({ p });
  expect(screen.getAllByRole("region", { name: /^Value of / })).toHaveLength(12);
  expect(screen.getByRole("searchbox", { name: /to add/ }).title).toContain(
    "12 parameters are shown at most",
  );
});

test("names of 300 characters and with markup are text", async () => {
  const name = `/aurora/<img src=x onerror=alert(1)>/${"x".repeat(270)}\u202Egnp`;
  await openExplore({ p: [X, name] });
  expect(screen.getByRole("note").textContent).toContain(name);
  expect(document.querySelector("img")).toBeNull();
  await user().click(screen.getByRole("button", { name: "Remove" }));
  await advance(300);
  expect(screen.queryByRole("note")).toBeNull();
});
