import { fireEvent, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DEMO, mockDashboards } from "../../mock/dashboards";
import { advance, type Options, openDashboard } from "../../test/app";
import { openWidgets, press, settle, user } from "./testing";

// There is no canvas here.
vi.mock("../plot/Chart", () => ({ Chart: () => null }));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  sessionStorage.clear();
});

async function openList(options: Options = {}) {
  const opened = await openDashboard({ path: "/m/aurora-1/d", ...options });
  await settle();
  return { ...opened, dashboards: mockDashboards(opened.world) };
}
const table = () => within(screen.getByRole("table", { name: "Dashboards of aurora-1" }));
const button = (name: string | RegExp) => screen.getByRole("button", { name });
const made = (dashboards: ReturnType<typeof mockDashboards>) => [...dashboards.kept.values()].at(-1);

async function choose(text: string): Promise<void> {
  const file = new File([text], "power.json", { type: "application/json" });
  fireEvent.change(screen.getByLabelText("Import a file…"), { target: { files: [file] } });
  await settle();
}

test("dashboards are listed with author and change, and found by words", async () => {
  const { router } = await openList();
  const row = within(table().getByRole("row", { name: /Power and attitude/ }));
  expect(row.getAllByText("kari")).toHaveLength(2);
  expect(row.getByText("operators of the mission")).toBeTruthy();
  await user().type(screen.getByRole("searchbox", { name: "Search" }), "thermal");
  await advance(500);
  expect(screen.getByText("No title or author has these words.")).toBeTruthy();
  expect(router.state.location.search).toMatchObject({ q: "thermal" });
});

test("a template is bound to the mission by guesses that are shown and may be changed", async () => {
  const { dashboards } = await openList();
  await user().click(button("New dashboard…"));
  await user().click(screen.getByRole("radio", { name: /^Satellite/ }));
  const roles = within(screen.getByRole("table", { name: "Roles and parameters" }));
  const row = roles.getByRole("row", { name: /^Battery voltage/ });
  expect(row.textContent).toContain("/aurora/eps/battery_voltage");
  expect(row.textContent).toContain("“battery” in its name");
  await user().click(roles.getByRole("button", { name: "Leave Processor load out" }));
  await user().click(roles.getByRole("button", { name: "Choose for Bus voltage" }));
  const dialog = within(screen.getByRole("dialog"));
  await user().type(dialog.getByRole("searchbox", { name: "Search" }), "string_01_voltage");
  await user().keyboard("{Enter}");
  await user().click(button("Create"));
  await settle();
  const widgets = made(dashboards)?.widgets.map(({ copies }) => copies[0]?.widget.opts) ?? [];
  expect(made(dashboards)?.title).toBe("Satellite");
  expect(widgets.find(({ title } = {}) => title === "Power")?.parameters).toEqual([
    "/aurora/eps/array/string_01_voltage",
    "/aurora/eps/battery_voltage",
    "/aurora/eps/battery_current",
  ]);
  expect(widgets.some(({ title } = {}) => title === "Processor")).toBe(false);
  expect(screen.getByRole("heading", { level: 1, name: /Satellite/ })).toBeTruthy();
});

test("an empty dashboard is opened for editing", async () => {
  const { router } = await openList();
  await user().click(button("New dashboard…"));
  await user().type(screen.getByRole("textbox", { name: "Title" }), "Mine");
  await user().click(button("Create"));
  await settle();
  expect(router.state.location.search).toMatchObject({ edit: true });
  expect(screen.getByRole("toolbar", { name: "Edit" })).toBeTruthy();
});

test("a file from elsewhere becomes a dashboard, with kinds that are not known here", async () => {
  const { dashboards } = await openList();
  const widget = { id: "a", kind: "hologram", x: 0, y: 0, w: 6, h: 4, opts: { depth: 3 } };
  await choose(
    JSON.stringify({ format: "sto-dashboard", version: 1, title: "From Kiruna", widgets: [widget] }),
  );
  expect(made(dashboards)?.widgets[0]?.copies[0]?.widget).toEqual(widget);
  expect(screen.getByText(/knows no widget of kind/)).toBeTruthy();
});

test("of a file that is wrong the place is named, and nothing is made", async () => {
  const { dashboards } = await openList();
  const before = dashboards.kept.size;
  await choose(JSON.stringify({ title: "x", widgets: [{ id: "a" }] }));
  expect(screen.getByRole("alert").textContent).toContain("power.json: at widgets[0].kind");
  expect(dashboards.kept.size).toBe(before);
});

test("a dashboard is copied, and deleted only after it was asked", async () => {
  const { dashboards, router } = await openList();
  await user().click(button("Duplicate Power and attitude"));
  await settle();
  expect(made(dashboards)?.title).toBe("Power and attitude (copy)");
  expect(made(dashboards)?.widgets).toHaveLength(dashboards.kept.get(DEMO)?.widgets.length ?? 0);
  router.history.push("/m/aurora-1/d");
  await settle();
  await user().click(button("Delete Power and attitude"));
  expect(dashboards.kept.has(DEMO)).toBe(true);
  await user().click(button("Delete"));
  await settle();
  expect(dashboards.kept.has(DEMO)).toBe(false);
});

test("a viewer makes none, and an operator of one mission deletes no other's", async () => {
  await openList({ mock: { role: "viewer" } });
  expect(button("New dashboard…").getAttribute("aria-disabled")).toBe("true");
  expect(button("Delete Power and attitude").title).toContain("Only operators");
});

test("a dashboard is shared by a link with frozen time, by a file, and by its audience", async () => {
  const { saved } = await openWidgets([]);
  await user().click(button("Share…"));
  const link = screen.getByRole<HTMLInputElement>("textbox", { name: "Link to this moment" });
  expect(new URL(link.value).searchParams.get("t")).toMatch(/^2026-11-22T12:\d\d:\d\d\.?\d*Z~2026-11-22T12:/);
  expect(screen.getByRole("link", { name: "Export as a file" }).getAttribute("href")).toBe(
    `/api/v1/missions/aurora-1/dashboards/${DEMO}/export`,
  );
  await user().click(screen.getByRole("radio", { name: "whoever may see the mission" }));
  await settle();
  expect(saved()?.audience).toBe("everyone");
  press(document.body, "Escape");
});
