import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { manyNodes } from "../../mock/fleet";
import { advance, openDashboard, settle, theSocket } from "../../test/app";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });

async function openFleet(search = "", mock: Parameters<typeof openDashboard>[0] = {}) {
  const opened = await openDashboard({ path: `/fleet${search}`, ...mock });
  await settle();
  await advance(500);
  return opened;
}

const markers = () =>
  within(screen.getByRole("list", { name: "Stations on the map" })).getAllByRole("button");
const matrix = () => within(screen.getByRole("region", { name: "Status matrix" }));

test("the map has a button for each station, whose label says what its symbol shows", async () => {
  await openFleet("?at=70,20,8");
  const labels = markers().map((marker) => marker.getAttribute("aria-label"));
  expect(labels).toHaveLength(4);
  expect(labels).toContain("Kiruna, Sweden, kiruna-1: certificate 6 d left");
  expect(labels).toContain("Awarua, New Zealand, awarua-1: disconnected");
});

test("the map says of which stations and missions it cannot show everything, and why", async () => {
  await openFleet();
  const legend = within(screen.getByRole("region", { name: "Legend" }));
  expect(legend.getByRole("link", { name: "Inuvik, Canada" })).toBeTruthy();
  expect(legend.getByText(/1 station without a place/)).toBeTruthy();
  const crafts = within(screen.getByRole("list", { name: "Spacecraft on the map" }));
  expect(crafts.getAllByText(/^aurora-1: latitude/).length).toBeGreaterThan(0);
});

test("a station is chosen on the map with the keyboard and shows all its parts", async () => {
  await openFleet("?at=70,20,8");
  const kiruna = screen.getByRole("button", { name: /kiruna-1/ });
  kiruna.focus();
  await user().keyboard("{Enter}");
  const chosen = within(screen.getByRole("region", { name: "Chosen on the map" }));
  expect(chosen.getByRole("link", { name: "Kiruna, Sweden" }).getAttribute("href")).toBe("/nodes/kiruna-1");
  expect(chosen.getByText("37 missing")).toBeTruthy();
});

test("one station is reached with Tab, its neighbours with the arrow keys", async () => {
  await openFleet("?at=70,20,8");
  expect(markers().filter((marker) => marker.tabIndex === 0)).toHaveLength(1);
  screen.getByRole("button", { name: /kiruna-1/ }).focus();
  await user().keyboard("{ArrowUp}");
  expect(document.activeElement?.getAttribute("aria-label")).toMatch(/^Longyearbyen/);
  await user().keyboard("{Escape}");
  expect(document.activeElement?.getAttribute("role")).toBe("application");
});

test("where the map stands is in the address once it rests", async () => {
  const { router } = await openFleet();
  screen.getByRole("application").focus();
  await user().keyboard("+");
  await advance(1000);
  expect(router.state.location.search).toMatchObject({ at: "0,0,1.5" });
  await user().keyboard("0");
  await advance(1000);
  expect(router.state.location.search).toMatchObject({ at: "0,0,1" });
});

test("a thousand stations are a few hundred symbols, and a cluster zooms in", async () => {
  const { world, router } = await openFleet();
  world.nodes = manyNodes(world, 1_000);
  await advance(61_000);
  // A place is asked for again only after a while: the page is opened anew.
  await router.navigate({ to: "/nodes" });
  await advance(70_000);
  await router.navigate({ to: "/fleet" });
  await settle();
  await advance(1_000);
  expect(markers().length).toBeGreaterThan(50);
  expect(markers().length).toBeLessThan(700);
  const cluster = screen.getAllByRole("button", { name: /^\d+ stations: .*; zooms in$/ })[0];
  if (cluster === undefined) throw new Error("stations are gathered");
  await user().click(cluster);
  await advance(1000);
  expect(router.state.location.search).toMatchObject({ at: expect.stringMatching(/,2.5$/) });
});

test("the matrix says in words what the map shows, the worst first", async () => {
  await openFleet("?view=matrix");
  const rows = matrix().getAllByRole("row").slice(1);
  expect(rows.map((row) => within(row).getByRole("link").textContent)).toEqual([
    "Santiago, Chile",
    "Awarua, New Zealand",
    "Kiruna, Sweden",
    "Inuvik, Canada",
    "Longyearbyen, Svalbard",
  ]);
  expect(within(rows[2] as HTMLElement).getByText("15 rejected")).toBeTruthy();
  expect(within(rows[1] as HTMLElement).getByText("stale · 14 min ago")).toBeTruthy();
});

test("filter and order are in the address", async () => {
  const { router } = await openFleet("?view=matrix");
  await user().selectOptions(screen.getByLabelText("At least"), "serious");
  await user().click(screen.getByRole("button", { name: "clock" }));
  await advance(500);
  expect(router.state.location.search).toEqual({ view: "matrix", least: "serious", sort: "clock" });
  expect(matrix().getAllByRole("row")).toHaveLength(4);
  expect(screen.getByText("3 of 5 stations shown")).toBeTruthy();
});

test("of a thousand stations only the rows in sight are in the document", async () => {
  const { world } = await openFleet("?view=matrix");
  world.nodes = manyNodes(world, 1_000);
  await advance(2_000);
  const table = matrix().getByRole("table");
  expect(table.getAttribute("aria-rowcount")).toBe("1001");
  expect(matrix().getAllByRole("row").length).toBeLessThan(60);
});

test("while the connection is frozen all is last known", async () => {
  await openFleet("?view=matrix");
  theSocket().fallSilent();
  await advance(4_000);
  expect(screen.getByText("last known:")).toBeTruthy();
  const svalbard = matrix()
    .getAllByRole("row")
    .find((row) => row.textContent?.includes("svalbard-1"));
  expect(svalbard?.className).toBe("stale");
});

test("names of stations are text, however long and whatever is in them", async () => {
  const { world } = await openFleet("?view=matrix");
  const odd = `<img src=x onerror=alert(1)>\u202e${"x".repeat(300)}`;
  world.nodes = world.currentNodes().map((node) => ({ ...node, site: odd, problem: odd }));
  await advance(2_000);
  expect(matrix().getAllByText(odd).length).toBeGreaterThan(1);
  expect(document.querySelector("main img")).toBeNull();
});

test("at another time the map says that stations are shown as they are now", async () => {
  await openFleet("?t=2026-11-20T12:00:00Z~2026-11-20T13:00:00Z");
  expect(screen.getByText(/Tracks and night are those of 2026-11-20 13:00:00Z/)).toBeTruthy();
});
