import { screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { advance, openDashboard, theSocket } from "../../test/app";
import type { Backlog } from "../../types";
import { drainView, fullView } from "./backlog";
import { certificate } from "./station";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const station = (name: string) => screen.getByRole("article", { name });

test("every station is an article with its state in words", async () => {
  await openDashboard();
  expect(screen.getAllByRole("article")).toHaveLength(5);
  expect(within(station("svalbard-1")).getByText("connected")).toBeTruthy();
  expect(within(station("awarua-1")).getByText("disconnected")).toBeTruthy();
  expect(within(station("inuvik-2")).getByText("never connected")).toBeTruthy();
  expect(within(station("santiago-1")).getByText("revoked")).toBeTruthy();
});

test("a silent station is marked stale with its age, a reporting one is not", async () => {
  await openDashboard();
  expect(station("awarua-1").dataset.stale).toBe("true");
  expect(within(station("awarua-1")).getByText("stale · last contact 14 min ago")).toBeTruthy();
  expect(station("svalbard-1").dataset.stale).toBe("false");
});

test("backlog, problem and rejections are written out", async () => {
  await openDashboard();
  const awarua = within(station("awarua-1"));
  expect(awarua.getByText("35,280")).toBeTruthy();
  expect(awarua.getByText("211")).toBeTruthy();
  expect(awarua.getByText("10.8 MiB")).toBeTruthy();
  expect(awarua.getByText(/nothing heard for 15 s/)).toBeTruthy();
  const links = within(within(station("kiruna-1")).getByRole("table", { name: "Intake links of kiruna-1" }));
  expect(links.getByText(/garbage 12/)).toBeTruthy();
  expect(links.getByText(/bad-length 3/)).toBeTruthy();
});

test("what the sequence counts of a link say is written out, and silence means in order", async () => {
  await openDashboard();
  const links = within(within(station("kiruna-1")).getByRole("table", { name: "Intake links of kiruna-1" }));
  expect(links.getByText("37 missing in 2 gaps")).toBeTruthy();
  expect(links.getByText("1 reset")).toBeTruthy();
  expect(within(station("svalbard-1")).getAllByText("in order").length).toBeGreaterThan(0);
});

test("the heartbeat brings a station's change without another request", async () => {
  const { world } = await openDashboard();
  const asked = world.requests.filter((request) => request.includes("/nodes")).length;
  world.nodes = world.currentNodes().map((node) => ({ ...node, state: "disconnected" as const }));
  await advance(1500);
  expect(within(station("svalbard-1")).getByText("disconnected")).toBeTruthy();
  expect(world.requests.filter((request) => request.includes("/nodes"))).toHaveLength(asked);
});

test("all stations are stale while the connection is frozen", async () => {
  await openDashboard();
  theSocket().fallSilent();
  await advance(4000);
  expect(screen.getByTestId("connection-chip").dataset.state).toBe("reconnecting");
  expect(station("svalbard-1").dataset.stale).toBe("true");
  expect(within(station("svalbard-1")).getByText("last known")).toBeTruthy();
  expect(
    within(screen.getByRole("list", { name: "Summary of stations" })).getByText("last known:"),
  ).toBeTruthy();
});

test("an edge node shows itself", async () => {
  await openDashboard({ mock: { kind: "edge" } });
  expect(screen.getByRole("heading", { name: "Station" })).toBeTruthy();
  expect(screen.getByRole("link", { name: "Station" })).toBeTruthy();
  expect(screen.getAllByRole("article")).toHaveLength(1);
});

test.each([
  [24, "normal", "24 d left"],
  [14, "caution", "14 d left"],
  [7, "serious", "7 d left"],
  [1, "critical", "1 d left"],
  [-2, "critical", "ended 2 d ago"],
  [null, "off", "none"],
] as const)("a certificate with %s days is %s", (days, status, text) => {
  expect(certificate(days)).toEqual({ status, text });
});

const value = (name: string, label: string) =>
  within(station(name)).getByText(label).parentElement?.querySelector("dd")?.textContent?.trim();

test("the hub says how fast each backlog comes and goes, and how long it lasts", async () => {
  await openDashboard();
  expect(value("svalbard-1", "Backlog drains")).toContain("keeps up");
  expect(value("svalbard-1", "Out of the backlog")).toBe("42 packets/s");
  expect(value("awarua-1", "Backlog drains")).toContain("not now");
  expect(value("awarua-1", "Older journals")).toBe("1 waiting");
  expect(value("kiruna-1", "Backlog drains")).toContain("nothing waits");
  expect(within(station("svalbard-1")).queryByText("Journal full")).toBeNull();
});

test("a node says of itself that its backlog grows and when its journal is full", async () => {
  const { world } = await openDashboard({ mock: { kind: "edge" } });
  world.nodes = world.currentNodes().map((node) => {
    if (!node.report) return node;
    const { backlog } = node.report;
    const grows = { ...backlog, drain: { kind: "never" as const }, full_in_s: 17_000, older_journals: 0 };
    return { ...node, report: { ...node.report, backlog: grows } };
  });
  await advance(1500);
  expect(value("svalbard-1", "Backlog drains")).toContain("never at this rate");
  expect(value("svalbard-1", "Journal full")).toContain("in 4 h 43 min");
});

const waits: Backlog = { batches: 1, packets: 42, bytes: 13_300, oldest: null };

test.each([
  [{ kind: "after", seconds: 200 }, "normal", "in 3 min"],
  [{ kind: "after", seconds: 42.7 }, "normal", "in 42 s"],
  [{ kind: "disconnected" }, "serious", "not now"],
  [{ kind: "never" }, "serious", "never at this rate"],
  [{ kind: "paused" }, "caution", "not now: paused"],
  [{ kind: "unknown" }, "off", "not known yet"],
  [undefined, "off", "not known yet"],
] as const)("a backlog that drains %j is %s", (drain, status, text) => {
  expect(drainView(drain ? { ...waits, drain } : waits)).toMatchObject({ status, text });
});

test("of an older node with nothing waiting nothing is feared", () => {
  expect(drainView({ ...waits, batches: 0 }).text).toBe("nothing waits");
  expect(fullView(waits)).toBeNull();
});

test.each([
  [{ full_in_s: 1_800, room_bytes: 9 }, "critical", "in 30 min"],
  [{ full_in_s: 18_000, room_bytes: 9 }, "serious", "in 5 h 00 min"],
  [{ full_in_s: 172_800, room_bytes: 9 }, "caution", "in 2 d 0 h"],
  [{ full_in_s: null, room_bytes: 0 }, "critical", "now"],
] as const)("a journal with %j is %s", (changes, status, text) => {
  expect(fullView({ ...waits, ...changes })).toMatchObject({ status, text });
});
