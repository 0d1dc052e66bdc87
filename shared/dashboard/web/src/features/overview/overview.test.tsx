import { screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { advance, openDashboard } from "../../test/app";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

async function openOverview(options: Partial<Parameters<typeof openDashboard>[0]> = {}) {
  const opened = await openDashboard({ path: "/", ...options });
  await vi.dynamicImportSettled();
  await advance(1_000);
  return opened;
}

const block = (name: string) => within(screen.getByRole("region", { name }));

test("what needs somebody stands in four blocks, each number a link to its list", async () => {
  await openOverview();
  const alarms = block("Alarms nobody has acknowledged");
  expect(alarms.getByRole("link", { name: /1 critical/ }).getAttribute("href")).toContain(
    "at_least=critical",
  );
  expect(block("Next passes").getAllByText(/(AOS|LOS) in/).length).toBeGreaterThan(1);
  expect(block("Stations that need somebody").getAllByRole("link").length).toBeGreaterThan(0);
  expect(block("Data of the last 24 hours").getByRole("link", { name: "aurora-1" })).toBeTruthy();
});

test("a new hub counts the hour under way, and says which hours it counts", async () => {
  const { world } = await openOverview({
    start: Date.parse("2026-11-22T13:04:00Z"),
    mock: { receivingSince: Date.parse("2026-11-22T13:01:00Z") },
  });
  const data = block("Data of the last 24 hours");
  const ofMission = data.getByRole("link", { name: "aurora-1" }).closest("li");
  expect(ofMission?.textContent).toContain("100.00 % at the station with least");
  expect(data.getByText(/^Received since 2026-11-21 13:00:00Z: 24 whole hours/)).toBeTruthy();
  const asked = world.requests.find((request) => request.includes("/aurora-1/completeness"));
  expect(decodeURIComponent(asked ?? "")).toContain("to=2026-11-22T14:00:00.000Z");
});

test("when an hour is over, the next one is counted", async () => {
  const { world } = await openOverview({ start: Date.parse("2026-11-22T12:59:58Z") });
  await advance(5_000);
  const data = block("Data of the last 24 hours");
  expect(data.getByText(/^Received since 2026-11-21 13:00:00Z/)).toBeTruthy();
  const asked = world.requests.filter((request) => request.includes("/aurora-1/completeness"));
  expect(decodeURIComponent(asked.at(-1) ?? "")).toContain("to=2026-11-22T14:00:00.000Z");
});

test("without a connection nothing of it looks current", async () => {
  const { world } = await openOverview();
  world.reachable = false;
  await advance(10_000);
  expect(screen.getAllByText("Last known: the connection is frozen.")).toHaveLength(2);
});

test("at a station alone its own page comes first", async () => {
  const { router } = await openDashboard({ path: "/", mock: { kind: "edge" } });
  await vi.dynamicImportSettled();
  await advance(1_000);
  expect(router.state.location.pathname).toBe("/nodes");
  expect(screen.getByRole("region", { name: "Parts of the station" })).toBeTruthy();
});
