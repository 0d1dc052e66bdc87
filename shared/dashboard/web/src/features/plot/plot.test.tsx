import { cleanup, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useEffect } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { advance, openDashboard, START, theSocket } from "../../test/app";
import type { ChartProps } from "./Chart";

let drawn: ChartProps | null = null;

// There is no canvas here; what the chart is given to draw is what counts.
vi.mock("./Chart", () => ({
  Chart: (props: ChartProps) => {
    drawn = props;
    useEffect(() => props.onWidth(800), [props.onWidth]);
    return null;
  },
}));

beforeEach(() => {
  vi.useFakeTimers();
  drawn = null;
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });
const path = (parameter: string, range = "5m") =>
  `/m/aurora-1/p?parameter=${encodeURIComponent(parameter)}&range=${range}`;
const RATE = "/aurora/adcs/rate_z";

async function openPlot(parameter = RATE, range = "5m") {
  const opened = await openDashboard({ path: path(parameter, range) });
  // The page's code is loaded on demand, over real promises.
  await vi.dynamicImportSettled();
  await advance(1000);
  return opened;
}

function times(): number[] {
  return drawn?.columns[0].filter((_, index) => drawn?.columns[1][index] !== null) ?? [];
}

const root = () => screen.getByTestId("plot");

test("history and live samples are one line without a doubled or a missing point", async () => {
  await openPlot();
  await advance(20_000);
  const drawnTimes = times();
  expect(drawnTimes.length).toBeGreaterThanOrEqual(300);
  expect(drawnTimes.slice(1).every((time, index) => time - (drawnTimes[index] ?? 0) === 1)).toBe(true);
  expect(Number(root().dataset.last)).toBeGreaterThanOrEqual(START + 20_000);
});

test("history is asked for after the subscription took effect, one point a pixel", async () => {
  const { world } = await openPlot();
  const asked = world.requests.filter((request) => request.includes("/samples"));
  expect(asked).toHaveLength(1);
  expect(asked[0]).toContain("points=800");
  expect(asked[0]).toContain(`parameter=${encodeURIComponent(RATE)}`);
});

test("the gap of a lost connection is open while it lasts and filled afterwards", async () => {
  const { world } = await openPlot();
  theSocket().fallSilent();
  await advance(5000);
  expect(drawn?.frozenSince).not.toBeNull();
  world.reachable = false;
  await advance(20_000);
  const before = Number(root().dataset.last);
  expect(before).toBeLessThan(START + 10_000);
  world.reachable = true;
  await advance(16_000);
  expect(drawn?.frozenSince).toBeNull();
  const drawnTimes = times();
  expect(drawnTimes.slice(1).every((time, index) => time - (drawnTimes[index] ?? 0) === 1)).toBe(true);
  expect(Number(root().dataset.last)).toBeGreaterThan(START + 35_000);
});

test("a spacecraft's silence is not bridged", async () => {
  const opened = openDashboard({ path: path(RATE) });
  const { world } = await opened;
  world.outages.push({ from: START - 120_000, to: START - 60_000 });
  await vi.dynamicImportSettled();
  await advance(61_000);
  expect(drawn?.columns[1].filter((value) => value === null)).toHaveLength(1);
});

test("a late sample is drawn in its place", async () => {
  const { world } = await openPlot();
  const parameter = world.find("aurora-1", RATE);
  if (parameter === undefined) throw new Error("the mock has no such parameter");
  const late = world.sample(parameter, START - 30_500);
  theSocket().say({ kind: "values", mission: "aurora-1", samples: [late] });
  await advance(300);
  const drawnTimes = times();
  const at = drawnTimes.indexOf((START - 30_500) / 1000);
  expect(drawnTimes[at - 1]).toBe((START - 31_000) / 1000);
  expect(drawnTimes[at + 1]).toBe((START - 30_000) / 1000);
});

test("the range is chosen by button and kept in the address", async () => {
  const { router } = await openPlot();
  await user().click(screen.getByRole("button", { name: "1 h" }));
  await advance(500);
  expect(router.state.location.search).toMatchObject({ range: "1h", parameter: RATE });
  expect(Number(root().dataset.points)).toBeLessThanOrEqual(801);
});

test("an earlier window stands still, and Live returns to the present", async () => {
  const { router } = await openPlot();
  await user().click(screen.getByRole("button", { name: "← Earlier" }));
  await advance(500);
  const end = drawn?.window.to;
  await advance(3000);
  expect(drawn?.window.to).toBe(end);
  expect(screen.getByText("FIXED")).toBeTruthy();
  await user().click(screen.getByRole("button", { name: "Live" }));
  await advance(500);
  expect(router.state.location.search).not.toHaveProperty("end");
});

test("arrow keys read the points aloud", async () => {
  await openPlot();
  screen.getByRole("application", { name: /rate_z/ }).focus();
  await user().keyboard("{ArrowLeft}");
  const newest = screen.getByTestId("cursor-value").textContent;
  expect(newest).toMatch(/^\d\d:\d\d:\d\d\.\d{3}Z, 0\.0\d+ deg\/s$/);
  await user().keyboard("{ArrowLeft}");
  expect(screen.getByTestId("cursor-value").textContent).not.toBe(newest);
});

test("the table twin lists the newest first, with labels for an enumeration", async () => {
  await openPlot("/aurora/adcs/mode");
  await user().click(screen.getByRole("button", { name: "Show as table" }));
  const table = screen.getByRole("table", { name: "Newest values of mode" });
  const [, first, second] = within(table).getAllByRole("row");
  expect(first?.textContent).toMatch(/IDLE|NOMINAL|SAFE/);
  expect((first?.textContent ?? "") > (second?.textContent ?? "")).toBe(true);
});

test("text has no curve and is listed", async () => {
  await openPlot("/aurora/obc/software_version");
  const table = screen.getByRole("table", { name: "Samples of /aurora/obc/software_version" });
  expect(within(table).getAllByText("4.2.1-flight").length).toBeGreaterThan(10);
});

test("a moment has no curve and is listed to the nanosecond", async () => {
  await openPlot("/aurora/obc/boot_time");
  const table = screen.getByRole("table", { name: "Samples of /aurora/obc/boot_time" });
  expect(within(table).getAllByText("2026-11-20T03:14:15.926535897Z").length).toBeGreaterThan(10);
  const tile = within(screen.getByRole("region", { name: "Current value" }));
  expect(tile.getByTestId("value").textContent).toBe("2026-11-20 03:14:15Z");
});

test("the value beside the plot says how it stands to its limits, or that it is no measurement", async () => {
  await openPlot("/aurora/adcs/wheel_2_speed");
  const tile = () => within(screen.getByRole("region", { name: "Current value" }));
  expect(tile().getByText("critical")).toBeTruthy();
  cleanup();
  await openPlot("/aurora/adcs/rate_x");
  expect(tile().getByText("outside valid range")).toBeTruthy();
  expect(tile().getByTestId("invalid").textContent).toContain("(invalid: outside valid range)");
});

test("the newest value stands beside the plot and goes stale with it", async () => {
  await openPlot();
  const tile = within(screen.getByRole("region", { name: "Current value" }));
  expect(tile.getByTestId("value").dataset.stale).toBe("false");
  theSocket().fallSilent();
  await advance(4000);
  expect(tile.getByTestId("value").dataset.stale).toBe("true");
});

test("an unknown parameter is named", async () => {
  await openPlot("/aurora/none");
  expect(screen.getByText("/aurora/none")).toBeTruthy();
});
