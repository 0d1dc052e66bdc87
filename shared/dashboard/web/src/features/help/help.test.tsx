import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { advance, openDashboard } from "../../test/app";

beforeEach(() => {
  vi.useFakeTimers();
  Element.prototype.scrollIntoView = vi.fn();
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });

async function openHelp(path = "/help") {
  const opened = await openDashboard({ path });
  await vi.dynamicImportSettled();
  await advance(500);
  return opened;
}

test("the handbook has its contents, and a page leads to another one", async () => {
  const { router } = await openHelp();
  expect(screen.getByRole("link", { name: "Error codes" })).toBeTruthy();
  await user().click(screen.getByRole("link", { name: "what codes mean" }));
  await advance(500);
  expect(router.state.location.pathname).toBe("/help/error-codes");
  expect(router.state.location.hash).toBe("sto-config");
  expect(screen.getByRole("heading", { name: "STO-CONFIG" })).toBeTruthy();
});

test("elements that no page is made of are not drawn", async () => {
  await openHelp();
  expect(screen.queryByText("alert(1)")).toBeNull();
});

test("the whole book is searched, and what is found leads to its place", async () => {
  const { router } = await openHelp();
  await user().type(screen.getByRole("searchbox", { name: "Search the handbook" }), "configuration must");
  await advance(500);
  await user().click(screen.getByRole("link", { name: "STO-CONFIG" }));
  await advance(500);
  expect(router.state.location.pathname).toBe("/help/error-codes");
  expect(screen.getByText("A configuration file says something it must not.")).toBeTruthy();
});

test("words that are nowhere are told so", async () => {
  await openHelp();
  await user().type(screen.getByRole("searchbox", { name: "Search the handbook" }), "unobtainium");
  await advance(500);
  expect(screen.getByText("Nothing in the handbook has all these words.")).toBeTruthy();
});
