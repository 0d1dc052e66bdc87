import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { advance, openDashboard, theSocket } from "../../test/app";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });

function shown(parameter: string): HTMLElement {
  const found = screen.getAllByTestId("value").find((element) => element.dataset.parameter === parameter);
  if (found === undefined) throw new Error(`${parameter} is not on the page`);
  return found;
}

test("parameters show value, unit and age, and raw on hover", async () => {
  await openDashboard({ path: "/m/aurora-1" });
  const row = screen.getByRole("row", { name: /battery_voltage/ });
  expect(within(row).getByText("V")).toBeTruthy();
  expect(within(row).getByText(/ s ago$/)).toBeTruthy();
  expect(shown("/aurora/eps/battery_voltage").title).toMatch(/raw \d+/);
});

test("a value whose samples stopped is stale, its neighbours are not", async () => {
  await openDashboard({ path: "/m/aurora-1" });
  expect(shown("/aurora/thermal/tank_temperature").dataset.stale).toBe("true");
  expect(shown("/aurora/eps/battery_voltage").dataset.stale).toBe("false");
});

test("values change live", async () => {
  await openDashboard({ path: "/m/aurora-1" });
  const before = shown("/aurora/eps/battery_voltage").textContent;
  await advance(1000);
  expect(shown("/aurora/eps/battery_voltage").textContent).not.toBe(before);
});

test("a connection that falls silent freezes every value, and its return thaws them", async () => {
  await openDashboard({ path: "/m/aurora-1" });
  theSocket().fallSilent();
  await advance(3500);
  expect(shown("/aurora/eps/battery_voltage").dataset.stale).toBe("true");
  await advance(5000);
  expect(screen.getByTestId("connection-chip").dataset.state).toBe("live");
  expect(shown("/aurora/eps/battery_voltage").dataset.stale).toBe("false");
});

test("search narrows the list and lives in the address", async () => {
  const { router } = await openDashboard({ path: "/m/aurora-1" });
  await user().keyboard("/");
  expect(document.activeElement).toBe(screen.getByRole("searchbox", { name: "Search parameters" }));
  await user().keyboard("wheel");
  await advance(300);
  expect(screen.getAllByTestId("value")).toHaveLength(2);
  expect(screen.getByText("2 of 200")).toBeTruthy();
  expect(router.state.location.search).toEqual({ q: "wheel" });
  expect(theSocket().received.at(-1)?.parameters).toEqual([
    "/aurora/adcs/wheel_1_speed",
    "/aurora/adcs/wheel_2_speed",
  ]);
});

test("a search in the address is applied, and one without result says so", async () => {
  await openDashboard({ path: "/m/aurora-1?q=unobtainium" });
  expect(screen.getByText("No parameter matches “unobtainium”.")).toBeTruthy();
});

test("only rows in sight are drawn and subscribed", async () => {
  await openDashboard({ path: "/m/aurora-1" });
  expect(screen.getAllByTestId("value").length).toBeLessThan(60);
  expect(theSocket().received.at(-1)?.parameters).toHaveLength(50);
});

test("another mission is chosen by name, and its dictionary's problem is shown", async () => {
  await openDashboard({ path: "/m/aurora-1" });
  await user().selectOptions(screen.getByLabelText("Mission"), "kestrel");
  await advance(500);
  expect(screen.getByRole("link", { name: /odometer/ })).toBeTruthy();
  expect(screen.getByRole("note").textContent).toContain("last good one is in use");
});

test("an unknown mission is explained with its code", async () => {
  await openDashboard({ path: "/m/nowhere" });
  expect(screen.getByRole("alert").textContent).toContain("STO-API-UNKNOWN-MISSION");
});
