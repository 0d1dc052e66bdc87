import { fireEvent, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { rulesOf } from "../../mock/rules";
import { advance, openDashboard } from "../../test/app";
// Loaded beforehand: pages come lazily, and time stands still here.
import "./RulesPage";
import "./DeliveriesPage";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  sessionStorage.clear();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });
const PATH = "/m/aurora-1/rules";

const editor = () => screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Rules as TOML" });

async function press(name: string | RegExp): Promise<void> {
  await user().click(screen.getByRole("button", { name }));
  await advance(500);
}

/** In one go: typing a document key by key is not what is tested. */
function replace(before: string, after: string): void {
  fireEvent.change(editor(), { target: { value: editor().value.replace(before, after) } });
}

async function because(reason: string): Promise<void> {
  await user().type(screen.getByRole("textbox", { name: "Why" }), reason);
}

test("rules in force, who is told after how long and versions are shown", async () => {
  await openDashboard({ path: PATH });
  expect(screen.getByText("In force, in this order: battery.")).toBeTruthy();
  const told = screen.getByRole("complementary", { name: "Who is told" });
  expect(within(told).getByText(/^at once/).textContent).toBe("at once: on-call:ops");
  expect(within(told).getByText(/after 5 min/).textContent).toBe("after 5 min: kari, duty system");
  expect(within(told).getByText("again every 30 min, 4 times")).toBeTruthy();
  await user().click(screen.getByRole("link", { name: "Since 1" }));
  await advance(500);
  const changes = screen.getByRole("region", { name: "Changes from version 1 to 2" });
  expect(within(changes).getByText('severity = "critical"')).toBeTruthy();
  expect(within(changes).getByText('severity = "warning"')).toBeTruthy();
});

test("a new version is saved with its reason, and what is wrong with it leads to its line", async () => {
  const { world } = await openDashboard({ path: PATH });
  replace('name = "battery"', "name = battery");
  expect(screen.getByRole("button", { name: "Save as a new version" }).title).toBe("Say why in a few words.");
  await because("tidied up");
  await press("Count version up from 3");
  await press("Save as a new version");
  expect(rulesOf(world).newest.version).toMatchObject({ document_version: 4, reason: "tidied up" });
  const wrong = screen.getByRole("region", { name: "What is wrong" });
  expect(within(wrong).getByText("expected a text in quotation marks")).toBeTruthy();
  await press("Line 5:8");
  expect(document.activeElement).toBe(editor());
  expect(editor().selectionStart).toBe(editor().value.indexOf("name = battery") + 7);
});

test("what somebody else saved meanwhile is not written over, and nothing typed is lost", async () => {
  const { world } = await openDashboard({ path: PATH });
  replace("5 min", "9 min");
  await because("slower");
  rulesOf(world).save(`${rulesOf(world).newest.text}# Tom was here\n`, "a remark", "Tom");
  await press("Save as a new version");
  expect(rulesOf(world).saved).toHaveLength(3);
  expect(editor().value).toContain("9 min");
  const overtaken = screen.getByRole("region", { name: "Saved by somebody else" });
  expect(overtaken.textContent).toContain("Version 3 was saved since you began by Tom: a remark.");
  const theirs = within(overtaken).getByRole("region", { name: "What version 3 changed" });
  expect(within(theirs).getByText("# Tom was here")).toBeTruthy();
  expect(theirs.textContent).not.toContain("9 min");
  const yours = within(overtaken).getByRole("region", { name: "Your changes beside the newest version" });
  expect(yours.textContent).toContain("9 min");
  expect(screen.queryByText("STO-RULES-CONFLICT")).toBeNull();
  expect(screen.getByRole("button", { name: "Save as a new version" }).title).toBe(
    "Somebody else saved rules since: look at them, then go on.",
  );
  await press("Go on from version 3");
  expect(screen.queryByText("STO-RULES-CONFLICT")).toBeNull();
  await press("Save as a new version");
  expect(rulesOf(world).newest.text).toContain("9 min");
});

test("while it is saved nothing can be typed, and the text stands until the new version is there", async () => {
  const { world } = await openDashboard({ path: PATH });
  replace("5 min", "9 min");
  await because("slower");
  world.latencyMs = 2_000;
  await press("Save as a new version");
  expect(editor().readOnly).toBe(true);
  await because(" and more");
  expect(screen.getByRole<HTMLInputElement>("textbox", { name: "Why" }).value).toBe("slower");
  for (const name of ["Discard", "Check", "Save as a new version"])
    expect(screen.getByRole("button", { name }).title).toBe("It is on its way.");
  const told = within(screen.getByRole("complementary", { name: "Who is told" }));
  const [, add] = told.getAllByRole("button", { name: "Add to the text", hidden: true });
  expect(add?.title).toBe("It is on its way.");
  for (let tenths = 0; tenths < 100; tenths += 1) {
    await advance(100);
    expect(editor().value).toContain("9 min");
    expect(screen.queryByRole("region", { name: "Saved by somebody else" })).toBeNull();
  }
  expect(editor().readOnly).toBe(false);
  expect(screen.getByRole("button", { name: "Discard" }).title).toBe("Nothing was changed.");
});

test("while a version that somebody else saved is read, or cannot be, the editor and its forms stay", async () => {
  const { world } = await openDashboard({ path: PATH });
  await user().click(screen.getByText("Add a contact"));
  await user().type(screen.getByRole("textbox", { name: "Address" }), "tom@station.example");
  const before = editor();
  before.focus();
  world.latencyMs = 2_000;
  world.refusing = /alarm-rules\/3$/;
  rulesOf(world).save(`${rulesOf(world).newest.text}# Tom was here\n`, "a remark", "Tom");
  for (let seconds = 0; seconds < 40; seconds += 1) {
    await advance(1_000);
    expect(document.activeElement).toBe(before);
  }
  expect(screen.getByRole("alert").textContent).toContain("The question took too long");
  expect(screen.getByDisplayValue("tom@station.example")).toBeTruthy();
  replace("5 min", "9 min");
  world.refusing = null;
  await press("Try again");
  await advance(3_000);
  expect(screen.queryByRole("alert")).toBeNull();
  expect(screen.getByRole("region", { name: "Saved by somebody else" }).textContent).toContain(
    "Version 3 was saved since you began by Tom",
  );
  expect(editor()).toBe(before);
  expect(before.value).toContain("9 min");
});

test("when the version that typing began with cannot be read, it is said, and asked for again", async () => {
  const draft = { text: "version = 9\n", reason: "later", basedOn: 1 };
  sessionStorage.setItem("sto-draft operator rules aurora-1", JSON.stringify(draft));
  const { world } = await openDashboard({
    path: PATH,
    prepare: (prepared) => Object.assign(prepared, { refusing: /alarm-rules\/1$/ }),
  });
  const overtaken = within(screen.getByRole("region", { name: "Saved by somebody else" }));
  expect(overtaken.getByRole("alert").textContent).toContain("The question took too long");
  world.refusing = null;
  await press("Try again");
  expect(overtaken.queryByRole("alert")).toBeNull();
  expect(overtaken.getByRole("region", { name: "What version 2 changed" })).toBeTruthy();
});

test("rules in force that cannot be read again are called last known", async () => {
  const { world } = await openDashboard({ path: PATH });
  world.refusing = /alarm-rules$/;
  await advance(31_000);
  expect(screen.getByText("In force, last known, in this order: battery.")).toBeTruthy();
  world.refusing = null;
  await advance(31_000);
  expect(screen.getByText("In force, in this order: battery.")).toBeTruthy();
});

test("what is typed is checked and compared with the version in force before it is saved", async () => {
  const { world } = await openDashboard({ path: PATH });
  expect(screen.getByRole("button", { name: "Check" }).title).toMatch(/^Nothing was changed/);
  replace('name = "battery"', "name = battery");
  await press("Check");
  const wrong = screen.getByRole("region", { name: "What is wrong" });
  expect(within(wrong).getByRole("button", { name: "Line 5:8" })).toBeTruthy();
  await user().click(screen.getByText("What you change"));
  const changes = screen.getByRole("region", { name: "Your changes" });
  expect(within(changes).getByText("name = battery")).toBeTruthy();
  replace("name = battery", 'name = "batteries"');
  expect(screen.queryByRole("region", { name: "What is wrong" })).toBeNull();
  await press("Check");
  expect(screen.getByText("Not saved yet. Nothing is wrong with it.")).toBeTruthy();
  expect(rulesOf(world).saved).toHaveLength(2);
});

test("a login that ends in between loses no word of a draft", async () => {
  const { world } = await openDashboard({ path: PATH });
  replace("5 min", "7 min");
  await because("slower");
  world.loggedIn = false;
  await press("Save as a new version");
  expect(screen.getByText(/The session is over/)).toBeTruthy();
  expect(sessionStorage.getItem("sto-draft operator rules aurora-1")).toContain("7 min");
});

test("a draft is there again when the page is opened anew", async () => {
  const draft = { text: "version = 9\n", reason: "later", basedOn: 2 };
  sessionStorage.setItem("sto-draft operator rules aurora-1", JSON.stringify(draft));
  await openDashboard({ path: PATH });
  expect(editor().value).toBe("version = 9\n");
  await press("Discard");
  expect(editor().value).toContain("version = 3");
  expect(sessionStorage.getItem("sto-draft operator rules aurora-1")).toBeNull();
});

test("a test goes to a contact in force, and what came of it is told", async () => {
  await openDashboard({ path: PATH });
  const [first] = screen.getAllByRole("button", { name: "Send a test" });
  await user().click(first as HTMLElement);
  await advance(500);
  expect(screen.getByText(/Test to/).textContent).toContain("taken by the other side.");
});

test("a contact is added to the text without touching the rest", async () => {
  await openDashboard({ path: PATH });
  const before = editor().value;
  await user().click(screen.getByText("Add a contact"));
  const told = screen.getByRole("complementary", { name: "Who is told" });
  const [name] = within(told).getAllByRole("textbox", { name: "Name" }).slice(-1);
  await user().type(name as HTMLElement, "tom");
  await user().type(within(told).getByRole("textbox", { name: "Address" }), "tom@station.example");
  const [, add] = within(told).getAllByRole("button", { name: "Add to the text" });
  await user().click(add as HTMLElement);
  expect(editor().value).toBe(`${before}\n[[contact]]\nname = "tom"\nemail = "tom@station.example"\n`);
});

test("at a station and for a viewer the text is read only, and says why", async () => {
  await openDashboard({ path: PATH, mock: { kind: "edge" } });
  expect(editor().readOnly).toBe(true);
  expect(screen.getByRole("button", { name: "Save as a new version" }).title).toBe(
    "A station's rules come from the hub: change them there.",
  );
});

test("the delivery log shows what became of each message, filters it, and leads to the alarm", async () => {
  const { router } = await openDashboard({ path: "/m/aurora-1/deliveries" });
  expect(screen.getByText("3 of 3")).toBeTruthy();
  expect(screen.getByText("<b>taken</b>")).toBeTruthy();
  await user().selectOptions(screen.getByRole("combobox", { name: "State" }), "failed");
  await advance(500);
  expect(screen.getByText("1 of 3")).toBeTruthy();
  expect(screen.getByText("the receiver answered 410 Gone (STO-NOTIFY-REFUSED)")).toBeTruthy();
  expect(router.state.location.search).toEqual({ state: "failed" });
  await user().click(screen.getByRole("link", { name: "alarm a2222222" }));
  await advance(500);
  expect(router.state.location.pathname).toBe("/m/aurora-1/alarms");
});
