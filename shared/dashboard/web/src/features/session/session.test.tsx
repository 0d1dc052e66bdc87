import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MockSocket } from "../../mock/socket";
import { MOCK_CODE } from "../../mock/world";
import { advance, openDashboard, settle } from "../../test/app";
import { takeCode } from "./fragment";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });

test("a one-time code opens the dashboard", async () => {
  const { world } = await openDashboard({ mock: { loggedIn: false } });
  await user().type(screen.getByLabelText("One-time code"), ` ${MOCK_CODE} `);
  await user().click(screen.getByRole("button", { name: "Log in" }));
  await advance(1500);
  await settle();
  expect(screen.getByRole("heading", { name: "Stations" })).toBeTruthy();
  expect(world.requests.some((request) => request.includes(MOCK_CODE))).toBe(false);
});

test("a wrong code says what happened and what to do", async () => {
  await openDashboard({ mock: { loggedIn: false } });
  await user().type(screen.getByLabelText("One-time code"), "WRONG");
  await user().click(screen.getByRole("button", { name: "Log in" }));
  await advance(100);
  expect(screen.getByRole("alert").textContent).toContain("The code was not accepted");
  expect(screen.getByRole("alert").textContent).toContain("cloud-hub login-code");
});

test("a login link opens the dashboard without typing", async () => {
  await openDashboard({ code: MOCK_CODE, mock: { loggedIn: false } });
  await settle();
  expect(screen.getByRole("heading", { name: "Stations" })).toBeTruthy();
});

test("a used login link shows the form with the reason", async () => {
  await openDashboard({ code: "USED", mock: { loggedIn: false } });
  expect(screen.getByLabelText("One-time code")).toBeTruthy();
  expect(screen.getByRole("alert").textContent).toContain("The code was not accepted");
});

test("logging out takes the pages away with the server's answer, and shows the form and no error", async () => {
  const { world } = await openDashboard();
  await settle();
  world.latencyMs = 40;
  await user().click(screen.getByRole("button", { name: "Log out" }));
  await advance(60);
  const isGone = () => {
    expect(screen.getByLabelText("One-time code")).toBeTruthy();
    expect(screen.queryByText(/The session is over/)).toBeNull();
    expect(screen.queryByRole("heading", { name: "Stations" })).toBeNull();
  };
  isGone();
  await advance(500);
  isGone();
  expect(screen.queryByRole("alert")).toBeNull();
  expect(MockSocket.open.size).toBe(0);
  expect(world.requests).toContain("DELETE /api/v1/session");
});

test("a session that ends while a page is open leads to the form, and nothing typed is lost", async () => {
  const { world } = await openDashboard({ path: "/m/aurora-1/parameters" });
  await user().type(screen.getByRole("searchbox", { name: "Search parameters" }), "wheel");
  world.loggedIn = false;
  await advance(11_000);
  expect(screen.getByText(/Nothing that was typed is lost/)).toBeTruthy();
  await user().type(screen.getByLabelText("One-time code"), MOCK_CODE);
  await user().click(screen.getByRole("button", { name: "Log in" }));
  await advance(1500);
  expect(screen.queryByLabelText("One-time code")).toBeNull();
  const field = screen.getByRole<HTMLInputElement>("searchbox", { name: "Search parameters" });
  expect(field.value).toBe("wheel");
  expect(screen.getAllByTestId("value")).toHaveLength(2);
});

test("whoever logs in next as somebody else sees nothing of the session before", async () => {
  const { world } = await openDashboard({ path: "/m/aurora-1/parameters" });
  world.loggedIn = false;
  await advance(11_000);
  world.options.principal = "tom";
  const before = screen.getByRole("searchbox", { name: "Search parameters" });
  await user().type(screen.getByLabelText("One-time code"), MOCK_CODE);
  await user().click(screen.getByRole("button", { name: "Log in" }));
  await advance(1500);
  expect(screen.getByRole("searchbox", { name: "Search parameters" })).not.toBe(before);
});

test("an unreachable server is named, and asked again on request", async () => {
  const { world } = await openDashboard({ reachable: false });
  await advance(5000);
  expect(screen.getByRole("alert").textContent).toContain("No answer from the server");
  world.reachable = true;
  await user().click(screen.getByRole("button", { name: "Try again" }));
  await advance(1500);
  await settle();
  expect(screen.getByRole("heading", { name: "Stations" })).toBeTruthy();
});

test("a server that goes away leaves the page in sight, behind no dialog", async () => {
  const { world } = await openDashboard();
  await settle();
  world.reachable = false;
  await advance(62_000);
  expect(screen.getByTestId("connection-chip").dataset.state).toBe("offline");
  expect(screen.getAllByRole("row").length).toBeGreaterThan(1);
  expect(screen.queryByRole("dialog")).toBeNull();
  world.reachable = true;
  await advance(16_000);
  expect(screen.getByTestId("connection-chip").dataset.state).toBe("live");
});

test("the code leaves the address in the moment it is taken", () => {
  const replaceState = vi.fn();
  const place = {
    location: { hash: "#code=ABC-1", pathname: "/stations", search: "?x=1" },
    history: { replaceState },
  };
  expect(takeCode(place)).toBe("ABC-1");
  expect(replaceState).toHaveBeenCalledWith(null, "", "/stations?x=1");
});

test("other fragments are left alone", () => {
  const replaceState = vi.fn();
  expect(
    takeCode({ location: { hash: "#main", pathname: "/", search: "" }, history: { replaceState } }),
  ).toBeNull();
  expect(replaceState).not.toHaveBeenCalled();
});
