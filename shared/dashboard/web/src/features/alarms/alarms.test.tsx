import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { advance, openDashboard } from "../../test/app";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });

const PATH = "/alarms/aurora-1";

function row(parameter: RegExp): HTMLElement {
  const found = screen.getByRole("rowheader", { name: parameter }).closest("tr");
  if (found === null) throw new Error("a row header stands in a row");
  return found;
}

async function open(parameter: RegExp): Promise<HTMLElement> {
  await user().click(within(row(parameter)).getByRole("button", { name: "Open" }));
  await advance(500);
  return screen.getByRole("region", { name: parameter });
}

test("alarms stand by urgency, with their age and where to begin looking", async () => {
  await openDashboard({ path: PATH });
  const rows = screen.getAllByRole("row").slice(1);
  const parameters = rows.map((found) => within(found).getByRole("rowheader").textContent);
  expect(parameters).toEqual([
    "/aurora/eps/battery_voltage",
    "/aurora/eps/bus_voltage",
    "/aurora/thermal/tank_temperature",
  ]);
  expect(screen.getByText("3 open, 3 unacknowledged")).toBeTruthy();
  expect(within(row(/battery_voltage/)).getByText("11 min ago")).toBeTruthy();
  expect(within(row(/battery_voltage/)).getByText("power: first /aurora/eps/bus_voltage of 2")).toBeTruthy();
  expect(within(row(/bus_voltage/)).getByText("power: this first of 2")).toBeTruthy();
});

test("an operator acknowledges what is shown, with a note, and the history has it", async () => {
  const { world, router } = await openDashboard({ path: PATH });
  const alarm = await open(/battery_voltage/);
  expect(router.state.location.search).toEqual({ alarm: `a${"2".repeat(31)}` });
  expect(within(alarm).getByText(/raised: critical \(saw 23\.1, threshold 24\)/)).toBeTruthy();
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

test("an alarm is shelved until a time, and for more than an hour only with a note", async () => {
  await openDashboard({ path: PATH });
  const alarm = await open(/tank_temperature/);
  const shelve = () => within(alarm).getByRole("button", { name: "Shelve" });
  await user().selectOptions(within(alarm).getByRole("combobox", { name: "Shelve for" }), "4 h");
  expect(shelve().title).toBe("For more than an hour say why in the note.");
  await user().type(within(alarm).getByRole("textbox", { name: "Note" }), "heater test");
  await user().click(shelve());
  await advance(500);
  // Where it stands, and in its history.
  expect(within(alarm).getAllByText(/shelved until 16:31/)).toHaveLength(2);
  await user().click(within(alarm).getByRole("button", { name: "Unshelve" }));
  await advance(500);
  expect(shelve()).toBeTruthy();
});

test("a viewer sees everything and is told why nothing can be done", async () => {
  const { world } = await openDashboard({ path: PATH, mock: { role: "viewer" } });
  const alarm = await open(/bus_voltage/);
  const acknowledge = within(alarm).getByRole("button", { name: "Acknowledge" });
  expect(acknowledge.title).toBe("Your role reads only.");
  await user().click(acknowledge);
  expect(world.requests.filter((request) => request.startsWith("POST"))).toHaveLength(0);
});

test("what the server refuses is told with its code", async () => {
  const { world } = await openDashboard({ path: `${PATH}?alarm=a${"9".repeat(31)}` });
  await advance(500);
  expect(screen.getByText("STO-ALARM-UNKNOWN")).toBeTruthy();
  world.reachable = false;
  await advance(15_000);
  expect(screen.getByText(/last known/)).toBeTruthy();
});

test("a mission without alarms says so", async () => {
  await openDashboard({ path: "/alarms/kestrel" });
  expect(screen.getByText("No alarm is open.")).toBeTruthy();
});
