import { screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { advance, openDashboard, theSocket } from "../../test/app";
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
