import { fireEvent, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { detectionRulesOf } from "../../mock/detectionRules";
import { rulesOf } from "../../mock/rules";
import { advance, openDashboard } from "../../test/app";
// Loaded beforehand: the page comes lazily, and time stands still here.
import "./RulesPage";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  sessionStorage.clear();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });
const PATH = "/m/aurora-1/rules?of=detection";

const editor = () => screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Detection rules as TOML" });
const table = (name: string) => screen.getByRole("table", { name });

async function press(name: string): Promise<void> {
  await user().click(screen.getByRole("button", { name }));
  await advance(500);
}

function replace(before: string, after: string): void {
  fireEvent.change(editor(), { target: { value: editor().value.replace(before, after) } });
}

test("the rules in force are a table of parameters, detectors and settings, and lead to their lines", async () => {
  await openDashboard({ path: "/m/aurora-1/rules" });
  await user().click(screen.getByRole("link", { name: "Of detection" }));
  await advance(500);
  const inForce = within(table("Detection rules in force"));
  expect(inForce.getByText("/aurora/eps/battery_*")).toBeTruthy();
  expect(
    inForce.getByText(
      "margin 0.1, margin_min 0; after 50 in a row, held for 100, again after 1000 usual ones",
    ),
  ).toBeTruthy();
  expect(inForce.getByText("residual.floor_factor 2, residual.span 20")).toBeTruthy();
  expect(inForce.getByText("/aurora/adcs/mode")).toBeTruthy();
  const cells = inForce.getAllByRole("cell").map((cell) => cell.textContent);
  expect(Number(cells[1])).toBeGreaterThan(0);
  await press("Line 4");
  expect(editor().selectionStart).toBe(editor().value.indexOf("[[watch]]"));
  expect(within(table("Versions of the rules")).getByText("the battery first")).toBeTruthy();
  expect(screen.getByRole("rowheader", { name: "forecaster 3" })).toBeTruthy();
});

test("rules in force that cannot be read again are called last known", async () => {
  const { world } = await openDashboard({ path: PATH });
  world.refusing = /detection-rules$/;
  await advance(31_000);
  expect(table("Detection rules in force, last known")).toBeTruthy();
  world.refusing = null;
  await advance(31_000);
  expect(table("Detection rules in force")).toBeTruthy();
});

test("a rule is added by the form, checked, and saved with a reason as a new version", async () => {
  const { world } = await openDashboard({ path: PATH });
  const form = within(screen.getByRole("complementary", { name: "Add a rule" }));
  await user().type(form.getByRole("textbox", { name: /^Parameters/ }), "/nowhere/*");
  await user().click(form.getByRole("checkbox", { name: "flat_line" }));
  await press("Add to the text");
  await press("Check");
  const would = within(table("What the text would watch"));
  expect(would.getByText("/nowhere/*")).toBeTruthy();
  expect(would.getByText("none").title).toMatch(/^No parameter that is a number fits/);
  expect(within(table("Detection rules in force")).queryByText("/nowhere/*")).toBeNull();
  await user().type(screen.getByRole("textbox", { name: "Why" }), "more of it");
  await press("Save as a new version");
  expect(detectionRulesOf(world).newest.version).toMatchObject({ number: 2, reason: "more of it" });
  expect(rulesOf(world).saved).toHaveLength(2);
  expect(within(table("Detection rules in force")).getByText("/nowhere/*")).toBeTruthy();
});

test("what is wrong with a part is told with its line, in the text and before it is saved", async () => {
  await openDashboard({ path: PATH });
  replace("parameters = [", 'parameters = "/x" # [');
  await press("Check");
  const wrong = within(screen.getByRole("region", { name: "What is wrong" }));
  expect(wrong.getByText("expected a list")).toBeTruthy();
  await press("Line 5:14");
  expect(editor().selectionStart).toBe(editor().value.indexOf("parameters = ") + 13);
  expect(within(table("What the text would watch")).getByText(/^None: limits count/)).toBeTruthy();
  // The lines of the version in force are others than those of the text.
  expect(within(table("Detection rules in force")).queryByRole("button", { name: "Line 4" })).toBeNull();
});

test("what somebody else saved meanwhile is shown, and saved over only after that", async () => {
  const { world } = await openDashboard({ path: PATH });
  replace("margin = 0.1", "margin = 0.2");
  await user().type(screen.getByRole("textbox", { name: "Why" }), "wider");
  const theirs = detectionRulesOf(world).newest.text.replace("persistence = 50", "persistence = 9");
  detectionRulesOf(world).save(theirs, "sooner", "Tom");
  await press("Save as a new version");
  expect(detectionRulesOf(world).saved).toHaveLength(2);
  const overtaken = screen.getByRole("region", { name: "Saved by somebody else" });
  expect(overtaken.textContent).toContain("Version 2 was saved since you began by Tom: sooner.");
  replace("persistence = 50", "persistence = 9");
  await press("Go on from version 2");
  await press("Save as a new version");
  expect(detectionRulesOf(world).newest.text).toBe(theirs.replace("margin = 0.1", "margin = 0.2"));
});

test.each([
  [{ kind: "edge" as const }, "A station's rules come from the hub: change them there."],
  [{ role: "viewer" as const }, "Only operators may do this; operator is logged in as viewer."],
])("with %o the rules are read only, and it is said why", async (mock, why) => {
  await openDashboard({ path: PATH, mock });
  expect(within(table("Detection rules in force")).getByText("/aurora/eps/battery_*")).toBeTruthy();
  expect(editor().readOnly).toBe(true);
  expect(screen.getByText(why)).toBeTruthy();
  for (const act of ["Save as a new version", "Check", "Add to the text"])
    expect(screen.getByRole("button", { name: act }).title).toBe(why);
});

test("a station's navigation leads to its rules", async () => {
  await openDashboard({ path: PATH, mock: { kind: "edge" } });
  const navigation = within(screen.getByRole("navigation", { name: "Main" }));
  await user().click(navigation.getByRole("link", { name: "Rules" }));
  await advance(500);
  expect(screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Rules as TOML" }).readOnly).toBe(true);
});

test("drafts of both sorts of rules do not mix", async () => {
  await openDashboard({ path: PATH });
  replace("margin = 0.1", "margin = 0.2");
  await user().click(screen.getByRole("link", { name: "Of alarms" }));
  await advance(500);
  expect(screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Rules as TOML" }).value).toContain(
    "[[rule]]",
  );
  expect(screen.getByRole("button", { name: "Save as a new version" }).title).toBe("Nothing was changed.");
  await user().click(screen.getByRole("link", { name: "Of detection" }));
  await advance(500);
  expect(editor().value).toContain("margin = 0.2");
});
