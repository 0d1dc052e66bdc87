import { screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DEMO } from "../../mock/dashboards";
import { advance } from "../../test/app";
import { openWidgets, panel, press, settle, slot, user } from "./testing";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  sessionStorage.clear();
});

const NOTES = [
  { id: "a", opts: { title: "First", text: "one" } },
  { id: "b", opts: { title: "Second", text: "two" } },
];
const button = (name: string | RegExp) => screen.getByRole("button", { name });
const isDisabled = (element: Element) => element.getAttribute("aria-disabled") === "true";

test("arrow keys move a widget, shift and arrows resize it, and it is said where it lies", async () => {
  await openWidgets(NOTES, "?edit=true");
  press(slot(/^First/), "ArrowRight");
  press(slot(/^First/), "ArrowDown", { shiftKey: true });
  await advance(100);
  expect(slot(/^First, column 2, row 1, 8 wide, 7 high/)).toBeTruthy();
  expect(slot(/^Second, column 1, row 8/)).toBeTruthy();
  expect(screen.getByTestId("placed").textContent).toBe("First: column 2, row 1, 8 wide, 7 high");
});

test("what was done is undone and done again", async () => {
  await openWidgets(NOTES, "?edit=true");
  expect(isDisabled(button("Undo"))).toBe(true);
  press(slot(/^First/), "ArrowRight");
  await advance(100);
  await user().click(button("Undo"));
  expect(slot(/^First, column 1/)).toBeTruthy();
  press(document.body, "z", { ctrlKey: true, shiftKey: true });
  await advance(100);
  expect(slot(/^First, column 2/)).toBeTruthy();
});

test("saving shows what changes, and sends only that", async () => {
  const { saved } = await openWidgets(NOTES, "?edit=true");
  press(slot(/^First/), "ArrowRight");
  await advance(100);
  await user().click(button("Remove Second"));
  await user().click(button("Save…"));
  const changes = within(screen.getByRole("list", { name: "Changes" }));
  expect(changes.getByText("moved").parentElement?.textContent).toContain(
    "from column 1, row 1 to column 2, row 1",
  );
  expect(changes.getByText("removed")).toBeTruthy();
  await user().click(button("Save"));
  await settle();
  expect(saved()?.widgets.map(({ id, copies }) => [id, copies[0]?.widget.x])).toEqual([["a", 1]]);
  expect(screen.queryByRole("toolbar")).toBeNull();
});

test("two people who change the same widget find both copies side by side and choose one", async () => {
  const { dashboards, saved } = await openWidgets(NOTES, "?edit=true");
  const theirs = { id: "a", kind: "text", x: 0, y: 0, w: 8, h: 6, opts: { title: "First", text: "theirs" } };
  const before = saved();
  if (before === undefined) throw new Error("it is not kept");
  dashboards.change(before, { id: "1".repeat(32), base: before.heads, put: [theirs] }, "kari");
  press(slot(/^First/), "ArrowRight");
  await advance(11_000);
  expect(screen.getByText(/changed this dashboard at/)).toBeTruthy();
  await user().click(button("Save…"));
  await user().click(button("Save"));
  await settle();
  await user().click(panel("First").getByRole("button", { name: "Choose…" }));
  const dialog = within(screen.getByRole("dialog"));
  expect(within(dialog.getByRole("region", { name: "Copy of kari" })).getByText("theirs")).toBeTruthy();
  expect(within(dialog.getByRole("region", { name: "Copy of operator" })).getByText("one")).toBeTruthy();
  await user().click(
    within(dialog.getByRole("region", { name: "Copy of kari" })).getByRole("button", {
      name: "Keep this one",
    }),
  );
  await settle();
  expect(
    saved()
      ?.widgets.find(({ id }) => id === "a")
      ?.copies.map((copy) => copy.widget.opts.text),
  ).toEqual(["theirs"]);
});

test("both copies can be kept as widgets of their own", async () => {
  const { dashboards, saved } = await openWidgets(NOTES);
  const before = saved();
  if (before === undefined) throw new Error("it is not kept");
  const first = before.widgets[0]?.copies[0]?.widget;
  if (first === undefined) throw new Error("it has no widgets");
  for (const [digit, text] of [
    ["1", "mine"],
    ["2", "theirs"],
  ] as const) {
    const now = saved() ?? before;
    const put = [{ ...first, opts: { ...first.opts, text } }];
    dashboards.change(now, { id: digit.repeat(32), base: before.heads, put }, text);
  }
  await advance(11_000);
  await user().click(panel("First").getByRole("button", { name: "Choose…" }));
  await user().click(button("Keep all"));
  await settle();
  expect(saved()?.widgets).toHaveLength(3);
  expect(screen.getByText("mine")).toBeTruthy();
  expect(screen.getByText("theirs")).toBeTruthy();
});

test("a widget is added by kind and parameter, found among all of them", async () => {
  const { saved } = await openWidgets([], "?edit=true");
  await user().click(button("Add a widget"));
  await user().click(screen.getByRole("radio", { name: /^Value/ }));
  await user().click(button("Add"));
  expect(screen.getByRole("alert").textContent).toContain("“Parameter” must be a list of parameter names");
  await user().type(screen.getByRole("searchbox", { name: "Search" }), "tank propellant");
  await advance(100);
  expect(screen.getByText(/^1 found/)).toBeTruthy();
  await user().keyboard("{Enter}");
  await user().click(button("Add"));
  await settle();
  expect(panel("tank_temperature").getByTestId("value")).toBeTruthy();
  await user().click(button("Save…"));
  await user().click(button("Save"));
  await settle();
  expect(saved()?.widgets[0]?.copies[0]?.widget).toMatchObject({
    kind: "value",
    opts: { parameters: ["/aurora/thermal/tank_temperature"] },
  });
});

test("an edit survives a reload until it is discarded", async () => {
  const { router } = await openWidgets(NOTES, "?edit=true");
  press(slot(/^First/), "ArrowRight");
  await advance(100);
  router.history.push("/m/aurora-1/d");
  await settle();
  router.history.push(`/m/aurora-1/d/${DEMO}`);
  await settle();
  expect(screen.getByText(/are not saved/)).toBeTruthy();
  await user().click(button("Edit"));
  await settle();
  expect(slot(/^First, column 2/)).toBeTruthy();
  press(document.body, "Escape");
  await advance(100);
  await user().click(button("Discard"));
  await settle();
  expect(screen.queryByText(/are not saved/)).toBeNull();
  expect(sessionStorage.length).toBe(0);
});

test("a session that ends in the middle of an edit loses nothing", async () => {
  const { world, saved } = await openWidgets(NOTES, "?edit=true");
  press(slot(/^First/), "ArrowRight");
  await advance(100);
  await user().click(button("Save…"));
  world.loggedIn = false;
  await user().click(button("Save"));
  await advance(2000);
  expect(screen.queryByRole("dialog")).toBeNull();
  await user().type(screen.getByLabelText("One-time code"), "APOLLO-11");
  await user().click(screen.getByRole("button", { name: "Log in" }));
  await advance(2000);
  await user().click(within(screen.getByRole("dialog")).getByRole("button", { name: "Save" }));
  await settle();
  expect(saved()?.widgets[0]?.copies[0]?.widget.x).toBe(1);
});

test("an unsaved edit is nobody else's", async () => {
  const { world, router } = await openWidgets(NOTES, "?edit=true");
  press(slot(/^First/), "ArrowRight");
  await advance(11_000);
  world.loggedIn = false;
  await advance(11_000);
  world.options.principal = "tom";
  await user().type(screen.getByLabelText("One-time code"), "APOLLO-11");
  await user().click(screen.getByRole("button", { name: "Log in" }));
  await settle();
  await advance(1000);
  expect(slot(/^First, column 1/)).toBeTruthy();
  expect(screen.queryByText(/Unsaved changes of before/)).toBeNull();
  router.history.push(`/m/aurora-1/d/${DEMO}`);
  await settle();
  expect(screen.queryByText(/are not saved/)).toBeNull();
});

test("e edits, and g e goes elsewhere", async () => {
  const { router } = await openWidgets(NOTES);
  press(document.body, "g");
  press(document.body, "e");
  await settle();
  expect(router.state.location.pathname).toBe("/m/aurora-1/events");
  router.history.push(`/m/aurora-1/d/${DEMO}`);
  await settle();
  await advance(2000);
  press(document.body, "e");
  await settle();
  expect(screen.getByRole("toolbar", { name: "Edit" })).toBeTruthy();
});

test("a viewer sees why nothing may be edited", async () => {
  await openWidgets(NOTES, "?edit=true", { mock: { role: "viewer" } });
  expect(screen.queryByRole("toolbar")).toBeNull();
  expect(isDisabled(button("Edit"))).toBe(true);
  expect(button("Edit").title).toContain("Only operators");
});

test("the parameters of a widget are put in another order, and taken out", async () => {
  const [voltage, current] = ["/aurora/eps/battery_voltage", "/aurora/eps/battery_current"];
  const parameters = [voltage, current, "/aurora/obc/cpu_load"];
  const { saved } = await openWidgets([{ kind: "latest-values", opts: { parameters } }], "?edit=true");
  await user().click(button(/^Configure/));
  const chosen = within(screen.getByRole("list", { name: /^Chosen:/ }));
  const names = () => chosen.getAllByRole("listitem").map((item) => item.querySelector("bdi")?.textContent);
  expect(chosen.queryByRole("button", { name: `Move ${voltage} up` })).toBeNull();
  await user().click(chosen.getByRole("button", { name: `Move ${current} up` }));
  expect(names()).toEqual([current, voltage, "/aurora/obc/cpu_load"]);
  await user().click(chosen.getByRole("button", { name: "Remove /aurora/obc/cpu_load" }));
  await user().click(button("Apply"));
  await settle();
  await user().click(button("Save…"));
  await user().click(button("Save"));
  await settle();
  expect(saved()?.widgets[0]?.copies[0]?.widget.opts).toEqual({ parameters: [current, voltage] });
});
