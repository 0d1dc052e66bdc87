import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { advance, openDashboard } from "../../test/app";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });

async function openData(search = "", mock = {}) {
  const opened = await openDashboard({ path: `/m/aurora-1/data${search}`, mock });
  // The page's code is loaded on demand, over real promises.
  await vi.dynamicImportSettled();
  await advance(1500);
  return opened;
}

const bands = () => screen.getByRole("table", { name: "Completeness of aurora-1 over time" });
const station = (name: string) => within(within(bands()).getByRole("rowgroup", { name }));
const part = () => within(screen.getByRole("region", { name: "Part of the account" }));

test("each station and APID has a band, with its fate in words", async () => {
  await openData();
  expect(station("kiruna-1").getAllByRole("row")).toHaveLength(3);
  expect(station("kiruna-1").getAllByRole("link", { name: /^lost, .* 1,200 lost$/ })).toHaveLength(2);
  expect(station("kiruna-1").getAllByText("backfilled").length).toBeGreaterThan(0);
  expect(station("svalbard-1").getAllByRole("link", { name: /^live, / })).toHaveLength(3);
  expect(station("awarua-1").getByText("still at the station")).toBeTruthy();
  expect(screen.getByRole("list", { name: "What the bands mean" }).children).toHaveLength(7);
});

test("totals say what is here, what is not, and what waits, with the time it was said", async () => {
  await openData();
  const totals = within(screen.getByRole("table", { name: "Totals of aurora-1" }));
  expect(totals.getByRole("row", { name: /kiruna-1.* % .*2,400/ })).toBeTruthy();
  expect(totals.getByRole("row", { name: /awarua-1.*35,280.*as said at 12:17:05Z/ })).toBeTruthy();
  expect(totals.getByRole("row", { name: /All of aurora-1/ })).toBeTruthy();
});

test("Enter on a gap says what is missing and why, and leads to plot, packets and events there", async () => {
  const { router } = await openData();
  station("kiruna-1").getAllByRole("link", { name: /^lost/ })[0]?.focus();
  await user().keyboard("{Enter}");
  await advance(500);
  expect(router.state.location.search).toHaveProperty("part");
  expect(part().getByText(/given up at the station for new ones/)).toBeTruthy();
  expect(
    within(part().getByRole("list", { name: /declared/ })).getByText(/12 batches evicted, 600 records/),
  ).toBeTruthy();
  const plot = part().getByRole("link", { name: "Plot there" }).getAttribute("href");
  expect(plot).toMatch(/explore\?t=2026-11-21T21%3A00%3A00Z%7E2026-11-21T22/);
  expect(part().getByRole("link", { name: "Packets there" }).getAttribute("href")).toContain("node=kiruna-1");
});

test("backfill is requested for a gap, and what became of it is shown", async () => {
  const { world } = await openData();
  await user().click(station("awarua-1").getByText("still at the station"));
  await advance(500);
  await user().click(part().getByRole("button", { name: "Request backfill" }));
  await advance(500);
  expect(
    world.requests.filter((request) => request === "POST /api/v1/missions/aurora-1/backfill"),
  ).toHaveLength(1);
  expect(part().getByText("waits for the station's next session")).toBeTruthy();
});

test("who may not request backfill is told why", async () => {
  const { world } = await openData("", { role: "viewer" });
  await user().click(station("awarua-1").getByText("still at the station"));
  await advance(500);
  await user().click(part().getByRole("button", { name: "Request backfill" }));
  expect(part().getByText(/Backfill cannot be requested: Only operators/)).toBeTruthy();
  expect(world.requests.some((request) => request.startsWith("POST"))).toBe(false);
});

test("the list is the bands' twin, and shows only what is incomplete when asked", async () => {
  const { router } = await openData();
  await user().click(screen.getByRole("button", { name: "Show as list" }));
  await advance(300);
  expect(router.state.location.search).toMatchObject({ view: "list" });
  const rows = () =>
    within(screen.getByRole("table", { name: "Account of aurora-1" }))
      .getAllByRole("row")
      .slice(1);
  expect(rows()[0]?.textContent).toMatch(/2026-11-22 12:00:00Z.*live/);
  await user().click(screen.getByLabelText("Only where something is missing"));
  for (const row of rows()) expect(row.textContent).toMatch(/lost|not received/);
});

test("a station is folded to its sum, and stays so in the address", async () => {
  const { router } = await openData();
  await user().click(screen.getByRole("button", { name: /kiruna-1/ }));
  await advance(300);
  expect(station("kiruna-1").getAllByRole("row")).toHaveLength(1);
  expect(router.state.location.search).toMatchObject({ closed: ["kiruna-1"] });
});

test("a year is summed by days", async () => {
  const { world } = await openData("?t=2025-11-22T00:00:00Z~2026-11-22T00:00:00Z");
  expect(world.requests.findLast((request) => request.includes("/completeness"))).toContain("by=day");
  expect(screen.getByText(/by day/)).toBeTruthy();
  expect(station("kiruna-1").getAllByRole("link", { name: /^lost/ }).length).toBeGreaterThan(0);
});

test("a replay shows hours up to where it stands, and says so", async () => {
  const { world } = await openData("?t=2026-11-20T00:00:00Z~2026-11-21T00:00:00Z~x60~2026-11-20T05:30:00Z");
  const asked = world.requests.filter((request) => request.includes("/completeness?")).at(-1) ?? "";
  expect(asked).toContain("to=2026-11-20T06%3A00%3A00.000Z");
  expect(screen.getByRole("note").textContent).toContain("Hours up to 2026-11-20 05:30:00Z");
});

test("a station says that the account is kept at the hub", async () => {
  await openData("", { kind: "edge" });
  expect(screen.getByText(/is kept at the hub/)).toBeTruthy();
});
