import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { alarmStateOf } from "../../mock/alarms";
import type { MockWorld } from "../../mock/world";
import { advance, openDashboard } from "../../test/app";
// Loaded beforehand: the page comes lazily, and time stands still here.
import "./AlarmRoutes";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });

const PATH = "/m/aurora-1/alarms";
const BATTERY = `a${"2".repeat(31)}`;

function stateIn(world: MockWorld) {
  const state = alarmStateOf(world).get("aurora-1");
  if (state === undefined) throw new Error("the mock has a first mission");
  return state;
}

function row(parameter: RegExp): HTMLElement {
  const found = screen.getByRole("rowheader", { name: parameter }).closest("tr");
  if (found === null) throw new Error("a row header stands in a row");
  return found;
}

function subjects(): (string | null)[] {
  return screen.getAllByRole("rowheader").map((header) => within(header).getByRole("button").textContent);
}

async function open(parameter: RegExp): Promise<HTMLElement> {
  await user().click(within(row(parameter)).getByRole("button", { name: parameter }));
  await advance(500);
  return screen.getByRole("region", { name: parameter });
}

/** What is said of all missions stands above the page. */
const inPage = () => within(screen.getByRole("main"));

test("alarms stand by urgency, with the limit, what tripped it, the value now and their age", async () => {
  await openDashboard({ path: PATH });
  expect(subjects()).toEqual([
    "/aurora/eps/battery_voltage",
    "/aurora/eps/bus_voltage",
    "/aurora/thermal/tank_temperature",
  ]);
  expect(screen.getByText("3 open, 3 unacknowledged")).toBeTruthy();
  const battery = row(/battery_voltage/);
  expect(within(battery).getByText("11 min")).toBeTruthy();
  expect(within(battery).getByText("below 24")).toBeTruthy();
  expect(within(battery).getByText("23.1")).toBeTruthy();
  expect(within(battery).getByText("22.8").title).toMatch(/^generated 2026-11-22 12:2/);
  expect(within(battery).getByText(/^2[789]\.\d{3}$/)).toBeTruthy();
  expect(within(row(/bus_voltage/)).getByText("first out")).toBeTruthy();
});

test("at another time the value now is still the newest one, and costs no question", async () => {
  const t = encodeURIComponent("2026-11-22T10:00:00Z~2026-11-22T11:00:00Z");
  const { world } = await openDashboard({ path: `${PATH}?t=${t}` });
  expect(within(row(/battery_voltage/)).getByTitle(/^generated 2026-11-22 12:31:/)).toBeTruthy();
  expect(world.requests.some((request) => request.includes("/at?"))).toBe(false);
});

test("filters and order stand in the address, and are read from it", async () => {
  const { router } = await openDashboard({ path: `${PATH}?at_least=warning&sort=-subject` });
  expect(subjects()).toEqual(["/aurora/eps/bus_voltage", "/aurora/eps/battery_voltage"]);
  await user().click(screen.getByRole("button", { name: /^Subject/ }));
  await user().selectOptions(screen.getByRole("combobox", { name: "At least" }), "critical");
  await user().type(screen.getByRole("searchbox", { name: "Search alarms" }), "batt");
  await advance(500);
  expect(subjects()).toEqual(["/aurora/eps/battery_voltage"]);
  expect(router.state.location.search).toEqual({ at_least: "critical", q: "batt" });
  await user().click(screen.getByRole("button", { name: "Mine" }));
  await advance(500);
  expect(screen.getByText("No open alarm matches.")).toBeTruthy();
});

test("an operator acknowledges what is shown, with a note, and the history has it", async () => {
  const { world, router } = await openDashboard({ path: PATH });
  const alarm = await open(/battery_voltage/);
  expect(router.state.location.search).toEqual({ alarm: BATTERY });
  expect(within(alarm).getByText(/raised: critical \(saw 23\.1, threshold 24\)/)).toBeTruthy();
  expect(within(alarm).getAllByText("at Longyearbyen, Svalbard")).toHaveLength(2);
  await user().type(within(alarm).getByRole("textbox", { name: "Note" }), "on it");
  await user().click(within(alarm).getByRole("button", { name: "Acknowledge" }));
  await advance(500);
  expect(within(alarm).getByText("acknowledged")).toBeTruthy();
  const history = within(alarm).getByRole("list", { name: "History" });
  expect(within(history).getByText("on it")).toBeTruthy();
  expect(within(row(/battery_voltage/)).getByText("acknowledged")).toBeTruthy();
  expect(screen.getByText("3 open, 2 unacknowledged")).toBeTruthy();
  const again = within(alarm).getByRole("button", { name: "Acknowledge" });
  expect(again.getAttribute("aria-disabled")).toBe("true");
  expect(again.title).toBe("Nothing is unacknowledged.");
  await user().click(again);
  expect(world.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
});

test("an alarm is shelved until a time, for more than an hour only with a note, and stays counted", async () => {
  await openDashboard({ path: PATH });
  const alarm = await open(/tank_temperature/);
  const shelve = () => within(alarm).getByRole("button", { name: "Shelve" });
  await user().selectOptions(within(alarm).getByRole("combobox", { name: "Shelve for" }), "4 h");
  expect(shelve().title).toBe("For more than an hour say why in the note.");
  await user().type(within(alarm).getByRole("textbox", { name: "Note" }), "heater test");
  await user().click(shelve());
  await advance(500);
  expect(within(alarm).getAllByText(/shelved until 16:31/)).toHaveLength(2);
  expect(inPage().getByRole("link", { name: "1 shelved" })).toBeTruthy();
  await user().click(within(alarm).getByRole("button", { name: "Unshelve" }));
  await advance(500);
  expect(inPage().getByRole("link", { name: "0 shelved" })).toBeTruthy();
});

test("an alarm is shelved until the pass is over, which says when that is", async () => {
  const { world } = await openDashboard({ path: PATH });
  const alarm = await open(/tank_temperature/);
  await user().selectOptions(within(alarm).getByRole("combobox", { name: "Shelve for" }), "end of pass");
  expect(within(alarm).getByText("until 12:41:00Z, when the pass of aurora-1 over Troll ends")).toBeTruthy();
  await user().type(within(alarm).getByRole("textbox", { name: "Note" }), "test of the heater");
  await user().click(within(alarm).getByRole("button", { name: "Shelve" }));
  await advance(500);
  const [passes] = world.requests.filter((request) => request.includes("/passes?"));
  expect(passes).toMatch(/^GET /);
  const until = stateIn(world).find(`a${"3".repeat(31)}`)?.alarm.shelved_until;
  expect(until).toBe("2026-11-22T12:41:00.000Z");
});

test("where no pass is known nothing is shelved until the end of one, and that is said", async () => {
  const { world } = await openDashboard({ path: "/alarms" });
  alarmStateOf(world)
    .get("kestrel")
    ?.raise({ parameter: "/kestrel/power/bus_voltage", severity: "severe", minutes: 1 });
  await advance(500);
  await user().click(within(row(/kestrel/)).getByRole("checkbox"));
  await user().click(screen.getByRole("button", { name: "Shelve selected" }));
  await advance(500);
  const dialog = within(screen.getByRole("dialog"));
  expect(dialog.getByRole<HTMLOptionElement>("option", { name: "end of pass" }).disabled).toBe(true);
  expect(dialog.getByText(/No pass is known within the next 24 h\./)).toBeTruthy();
  await user().click(dialog.getByRole("button", { name: "Cancel" }));
  await user().click(within(row(/battery_voltage/)).getByRole("checkbox"));
  await user().click(screen.getByRole("button", { name: "Shelve selected" }));
  await advance(500);
  expect(within(screen.getByRole("dialog")).getByText(/The alarms are of several missions\./)).toBeTruthy();
});

test("of an alarm about a station only that station's passes count", async () => {
  await openDashboard({ path: `${PATH}?q=baseband`, mock: { flood: true } });
  const alarm = await open(/baseband-b/);
  expect(within(alarm).getByText(/No pass is known within the next 24 h\./)).toBeTruthy();
});

test("an alarm is taken, judged, taken out of service and put back", async () => {
  await openDashboard({ path: PATH });
  const alarm = await open(/tank_temperature/);
  const press = async (name: string) => {
    await user().click(within(alarm).getByRole("button", { name }));
    await advance(500);
  };
  await press("Take it");
  expect(within(row(/tank_temperature/)).getByText("operator")).toBeTruthy();
  await press("False alarm");
  expect(within(alarm).getByText("judged: false alarm")).toBeTruthy();
  await user().type(within(alarm).getByRole("textbox", { name: "Work order or rule" }), "WO-12");
  await press("Take out");
  expect(within(alarm).getByText("out of service, WO-12")).toBeTruthy();
  expect(inPage().getByRole("link", { name: "1 out of service" })).toBeTruthy();
  await press("Back into service");
  expect(inPage().getByRole("link", { name: "0 out of service" })).toBeTruthy();
});

test("what changed since it was selected is left out, and said", async () => {
  const { world } = await openDashboard({ path: PATH });
  await user().click(screen.getByRole("checkbox", { name: "Select all that are shown" }));
  stateIn(world).worsen(`a${"1".repeat(31)}`, "severe");
  await advance(500);
  await user().click(screen.getByRole("button", { name: "Acknowledge selected" }));
  const dialog = screen.getByRole("dialog", { name: "Acknowledge 3 alarms" });
  const will = within(dialog).getByRole("region", { name: "2 will change" });
  expect(within(will).getByText("/aurora/eps/battery_voltage")).toBeTruthy();
  const changed = within(dialog).getByRole("region", { name: "1 changed since and are left out" });
  expect(within(changed).getByText("/aurora/eps/bus_voltage")).toBeTruthy();
  expect(within(changed).getByText("now severe, was warning")).toBeTruthy();
  await user().click(within(dialog).getByRole("button", { name: "Acknowledge 2" }));
  await advance(500);
  expect(within(dialog).getByText("2 alarms changed.")).toBeTruthy();
  await user().click(within(dialog).getByRole("button", { name: "Close" }));
  await advance(500);
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(screen.getByText("3 open, 1 unacknowledged")).toBeTruthy();
});

test("what the server does not acknowledge is told by name", async () => {
  const { world } = await openDashboard({ path: PATH });
  await user().click(within(row(/tank_temperature/)).getByRole("checkbox"));
  const { histories } = stateIn(world);
  await user().click(screen.getByRole("button", { name: "Acknowledge selected" }));
  histories.splice(2, 1);
  await user().click(screen.getByRole("button", { name: "Acknowledge 1" }));
  await advance(500);
  const left = screen.getByRole("region", { name: "1 could not be changed" });
  expect(within(left).getByText("/aurora/thermal/tank_temperature")).toBeTruthy();
  expect(within(left).getByText(/there is no such alarm \(STO-ALARM-UNKNOWN\)/)).toBeTruthy();
});

test("the keyboard alone goes down, selects, acknowledges, shelves, opens and closes", async () => {
  const { router } = await openDashboard({ path: PATH });
  await user().keyboard("jj");
  await advance(300);
  expect(document.activeElement?.textContent).toBe("/aurora/eps/bus_voltage");
  await user().keyboard("kx");
  expect(within(row(/battery_voltage/)).getByRole<HTMLInputElement>("checkbox").checked).toBe(true);
  await user().keyboard("a");
  expect(screen.getByRole<HTMLInputElement>("textbox", { name: "Note" }).value).toBe("");
  expect(document.activeElement).toBe(screen.getByRole("textbox", { name: "Note" }));
  await user().keyboard("{Enter}");
  await advance(500);
  await user().click(screen.getByRole("button", { name: "Close" }));
  await advance(500);
  expect(screen.getByText("3 open, 2 unacknowledged")).toBeTruthy();
  await user().keyboard("s");
  const dialog = screen.getByRole("dialog", { name: "Shelve 1 alarm" });
  await user().type(within(dialog).getByRole("textbox", { name: "Note" }), "known{Enter}");
  await advance(500);
  expect(within(dialog).getByText("1 alarm changed.")).toBeTruthy();
  await user().click(within(dialog).getByRole("button", { name: "Close" }));
  await user().keyboard("j{Enter}");
  await advance(500);
  expect(router.state.location.search).toHaveProperty("alarm");
  await user().keyboard("{Escape}");
  await advance(500);
  expect(router.state.location.search).toEqual({});
});

test("a row that the keys stood on does not take the focus back from who filters the list", async () => {
  await openDashboard({ path: PATH });
  await user().keyboard("jj");
  expect(document.activeElement?.textContent).toBe("/aurora/eps/bus_voltage");
  const search = screen.getByRole("searchbox", { name: "Search alarms" });
  await user().type(search, "tank");
  await advance(300);
  expect(subjects()).toEqual(["/aurora/thermal/tank_temperature"]);
  await user().clear(search);
  await advance(300);
  expect(subjects()).toContain("/aurora/eps/bus_voltage");
  expect(document.activeElement).toBe(search);
});

test("the keys go through the heads of causes too, which Enter opens", async () => {
  await openDashboard({ path: `${PATH}?view=causes` });
  await user().keyboard("j{Enter}");
  await advance(300);
  expect(document.activeElement?.getAttribute("aria-expanded")).toBe("true");
  await user().keyboard("jx");
  await advance(300);
  expect(screen.getByText("1 selected")).toBeTruthy();
});

test("an act whose answer was lost keeps its note, and pressed again is the same act", async () => {
  const { world } = await openDashboard({ path: PATH });
  const alarm = await open(/battery_voltage/);
  const note = within(alarm).getByRole<HTMLInputElement>("textbox", { name: "Note" });
  const comments = () =>
    stateIn(world)
      .find(BATTERY)
      ?.entries.filter((entry) => entry.note === "look at the heater");
  const comment = () => user().click(within(alarm).getByRole("button", { name: "Comment" }));
  const acts = /\/acts$/;
  await user().type(note, "look at the heater");
  world.losing = acts;
  await comment();
  await advance(10_000);
  expect(within(alarm).getByRole("alert").textContent).toContain("No answer from the server");
  expect(note.value).toBe("look at the heater");
  expect(comments()).toHaveLength(1);
  await comment();
  await advance(10_000);
  world.losing = null;
  await user().click(within(alarm).getByRole("button", { name: "Try again" }));
  await advance(500);
  expect(within(alarm).queryByRole("alert")).toBeNull();
  expect(note.value).toBe("");
  expect(comments()).toHaveLength(1);
  await user().type(note, "look at the heater");
  await comment();
  await advance(500);
  expect(comments()).toHaveLength(2);
});

test("the worst value stands in the reason with its time, and in the history when it came", async () => {
  await openDashboard({ path: PATH });
  const alarm = await open(/battery_voltage/);
  const reason = within(alarm).getByText("Worst value").parentElement;
  expect(reason?.textContent).toMatch(/22\.8 V, 2026-11-22 12:2/);
  expect(within(alarm).getByText("the worst so far (saw 22.8, threshold 24)")).toBeTruthy();
});

test("who does not want to wait has the next step sent at once, until there is none", async () => {
  const { world } = await openDashboard({ path: PATH });
  const alarm = await open(/battery_voltage/);
  const escalate = () => within(alarm).getByRole("button", { name: "Escalate now" });
  const next = within(alarm).getByText("step 2 of usual to kari").parentElement;
  expect(next?.textContent).toBe("next: step 2 of usual to kari, in 3 min");
  await user().type(within(alarm).getByRole("textbox", { name: "Note" }), "nobody answers");
  await user().click(escalate());
  await advance(500);
  expect(within(alarm).getByText("did not wait with step 2 of usual")).toBeTruthy();
  expect(within(alarm).getByText("nobody answers")).toBeTruthy();
  expect(within(alarm).getByText("step 3 of usual to duty system, kari")).toBeTruthy();
  await user().click(escalate());
  await advance(500);
  expect(escalate().getAttribute("aria-disabled")).toBe("true");
  expect(escalate().title).toBe("Everybody on the ladder has been told.");
  const acts = world.requests.filter((request) => request.startsWith("POST")).length;
  await user().click(escalate());
  expect(world.requests.filter((request) => request.startsWith("POST"))).toHaveLength(acts);
});

test("an alarm that somebody has seen is not escalated", async () => {
  await openDashboard({ path: PATH });
  const alarm = await open(/battery_voltage/);
  await user().click(within(alarm).getByRole("button", { name: "Acknowledge" }));
  await advance(500);
  expect(within(alarm).getByRole("button", { name: "Escalate now" }).title).toBe(
    "Nobody is told of an alarm that does not ring.",
  );
});

test("at a station alone nobody is told: the button says who does it", async () => {
  await openDashboard({ path: PATH, mock: { kind: "edge" } });
  const alarm = await open(/battery_voltage/);
  expect(within(alarm).getByRole("button", { name: "Escalate now" }).title).toBe(
    "Only the hub tells people: escalate there.",
  );
});

test("a viewer sees everything and is told why nothing can be done", async () => {
  const { world } = await openDashboard({ path: PATH, mock: { role: "viewer" } });
  const alarm = await open(/bus_voltage/);
  const acknowledge = within(alarm).getByRole("button", { name: "Acknowledge" });
  expect(acknowledge.title).toBe("Only operators may do this; operator is logged in as viewer.");
  await user().click(acknowledge);
  await user().keyboard("x");
  expect(world.requests.filter((request) => request.startsWith("POST"))).toHaveLength(0);
});

test("a flood is said, and alarms are read by cause with the first one first", async () => {
  await openDashboard({ path: PATH, mock: { flood: true } });
  expect(screen.getByText("Flood of alarms.")).toBeTruthy();
  expect(screen.getByText(/35 new within 10 minutes, 37 within the last hour/)).toBeTruthy();
  await user().click(screen.getByRole("button", { name: "Show by cause" }));
  await advance(500);
  const flood = screen.getByRole("button", { name: "flood" });
  expect(screen.getByRole("rowheader", { name: /32 alarms, 32 unacknowledged/ })).toBeTruthy();
  expect(screen.getByRole("button", { name: "station Kiruna, Sweden" })).toBeTruthy();
  await user().click(flood);
  await advance(300);
  const [first] = screen.getAllByRole("row", { name: /^Select .*wheel_1_current/ });
  expect(within(first as HTMLElement).getByText("first out")).toBeTruthy();
});

test("markup and marks of direction in names are shown as text", async () => {
  await openDashboard({ path: `${PATH}?q=very_long`, mock: { flood: true } });
  const [header] = screen.getAllByRole("rowheader");
  expect(header?.querySelector("b")).toBeNull();
  expect(header?.textContent).toContain("<b>temperature</b>");
  expect(header?.querySelector("bdi")).not.toBeNull();
});

test("closed alarms and those found in late data have their reason: detector, model, score and what was expected", async () => {
  await openDashboard({ path: `${PATH}?state=closed` });
  await advance(500);
  expect(within(row(/wheel_1_speed/)).getByText("late data")).toBeTruthy();
  const alarm = await open(/wheel_1_speed/);
  for (const text of ["2412 rpm", "2140.6 rpm", "score above 4.5", "6.82", "forecaster 3", "forecast"])
    expect(within(alarm).getByText(text)).toBeTruthy();
});

test("closed alarms of all missions stand in one list, newest first, and open where they belong", async () => {
  const { router } = await openDashboard({
    path: "/alarms?state=closed",
    prepare: (world) => {
      const kestrel = alarmStateOf(world).get("kestrel");
      kestrel?.raise({
        parameter: "/kestrel/power/bus_voltage",
        severity: "severe",
        minutes: 200,
        late: true,
      });
      kestrel?.raise({ parameter: "/kestrel/power/cell", severity: "watch", minutes: 900, late: true });
    },
  });
  await advance(500);
  expect(subjects()).toEqual([
    "/kestrel/power/bus_voltage",
    "/aurora/adcs/wheel_1_speed",
    "/kestrel/power/cell",
  ]);
  await open(/cell/);
  expect(router.state.location.search).toMatchObject({ of: "kestrel" });
});

test("all missions stand together, each alarm with its mission", async () => {
  const { world, router } = await openDashboard({ path: "/alarms" });
  alarmStateOf(world)
    .get("kestrel")
    ?.raise({ parameter: "/kestrel/power/bus_voltage", severity: "severe", minutes: 1 });
  await advance(500);
  expect(subjects()[0]).toBe("/kestrel/power/bus_voltage");
  expect(within(row(/kestrel/)).getByText("kestrel")).toBeTruthy();
  await user().click(screen.getByRole("link", { name: "aurora-1" }));
  await advance(500);
  expect(router.state.location.pathname).toBe("/m/aurora-1/alarms");
});

test("what the server refuses is told with its code, and old knowledge is called so", async () => {
  const { world } = await openDashboard({ path: `${PATH}?alarm=a${"9".repeat(31)}` });
  await advance(500);
  expect(screen.getByText("STO-ALARM-UNKNOWN")).toBeTruthy();
  world.reachable = false;
  await advance(15_000);
  expect(inPage().getByText(/last known/)).toBeTruthy();
});

test("messages that could not be read are not taken for none", async () => {
  const { world } = await openDashboard({ path: PATH });
  world.refusing = /\/alarm-deliveries\?/;
  const alarm = await open(/battery_voltage/);
  expect(within(alarm).getByRole("alert").textContent).toContain("The question took too long");
  world.refusing = null;
  await user().click(within(alarm).getByRole("button", { name: "Try again" }));
  await advance(500);
  expect(within(alarm).queryByRole("alert")).toBeNull();
});

test("a mission without alarms says so", async () => {
  await openDashboard({ path: "/m/kestrel/alarms" });
  expect(screen.getByText("No alarm is open.")).toBeTruthy();
});

test("several alarms are given to a person, and to nobody", async () => {
  await openDashboard({ path: PATH });
  const assign = async (person: string) => {
    await user().click(screen.getByRole("checkbox", { name: "Select all that are shown" }));
    await user().click(screen.getByRole("button", { name: "Assign selected" }));
    const dialog = within(screen.getByRole("dialog", { name: "Assign 3 alarms" }));
    const field = dialog.getByRole<HTMLInputElement>("textbox", { name: "To (empty: nobody)" });
    expect(field.value).toBe("operator");
    await user().clear(field);
    if (person !== "") await user().type(field, person);
    await user().click(dialog.getByRole("button", { name: "Assign 3" }));
    await advance(500);
    expect(dialog.getByText("3 alarms changed.")).toBeTruthy();
    await user().click(dialog.getByRole("button", { name: "Close" }));
    await advance(500);
  };
  await assign("kari");
  expect(inPage().getAllByText("kari")).toHaveLength(3);
  await assign("");
  expect(inPage().queryByText("kari")).toBeNull();
});
