import { screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { advance, openDashboard } from "../../test/app";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

async function openOverview() {
  const opened = await openDashboard({ path: "/" });
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
