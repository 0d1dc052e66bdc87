import { fireEvent, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { StrictMode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MOCK_CODE } from "../mock/world";
import { advance, openDashboard, settle } from "../test/app";
import { Modal } from "./Modal";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });
const press = (name: string | RegExp) => user().click(screen.getByRole("button", { name }));
const openDialogs = () => [...document.querySelectorAll("dialog")].filter(({ open }) => open);

interface Case {
  path: string;
  /** The name of the dialog, and of the field in it. */
  name: string | RegExp;
  field: string | RegExp;
  open: () => Promise<void>;
}

const CASES: Record<string, Case> = {
  search: {
    path: "/m/aurora-1/parameters",
    name: "Search",
    field: "Search everything",
    open: () => press(/^Search Ctrl K/),
  },
  "a form of the administration": {
    path: "/admin/nodes",
    name: "New enrolment token",
    field: "Site",
    open: () => press("New enrolment token"),
  },
  "the place of a site": {
    path: "/nodes/inuvik-2?tab=actions",
    name: /^Place of/,
    field: /^Latitude/,
    open: () => press("Set the place"),
  },
  "acts on several alarms": {
    path: "/m/aurora-1/alarms",
    name: "Acknowledge 3 alarms",
    field: "Note",
    open: async () => {
      await user().click(screen.getByRole("checkbox", { name: "Select all that are shown" }));
      await press("Acknowledge selected");
    },
  },
  "a new dashboard": {
    path: "/m/aurora-1/d",
    name: "A new dashboard",
    field: "Title",
    open: () => press(/^New dashboard/),
  },
};

test.each(Object.entries(CASES))(
  "%s steps aside when the session ends, and nothing typed is lost",
  async (_, { path, name, field, open }) => {
    const { world } = await openDashboard({ path });
    await settle();
    await open();
    const dialog = () => screen.getByRole("dialog", { name });
    const typed = () => within(dialog()).getByLabelText<HTMLInputElement>(field);
    await user().type(typed(), "68");
    expect(typed().value).toBe("68");

    world.loggedIn = false;
    await advance(61_000);
    expect(screen.getByText(/Nothing that was typed is lost/)).toBeTruthy();
    expect(openDialogs().length).toBe(0);

    await user().type(screen.getByLabelText("One-time code"), MOCK_CODE);
    await press("Log in");
    await advance(1500);
    expect(screen.queryByLabelText("One-time code")).toBeNull();
    expect(openDialogs()).toEqual([dialog()]);
    expect(typed().value).toBe("68");
    expect(document.activeElement).toBe(typed());
  },
);

test("help steps aside when the session ends, and is there again afterwards", async () => {
  const { world } = await openDashboard({ path: "/m/aurora-1/parameters" });
  await settle();
  await press("Keys and symbols");
  world.loggedIn = false;
  await advance(61_000);
  expect(openDialogs().length).toBe(0);
  await user().type(screen.getByLabelText("One-time code"), MOCK_CODE);
  await press("Log in");
  await advance(1500);
  expect(openDialogs()).toEqual([screen.getByRole("dialog", { name: "Keys and symbols" })]);
  await press("Close");
  expect(screen.queryByRole("dialog")).toBeNull();
});

function show(onClose: () => void): HTMLDialogElement {
  render(
    <StrictMode>
      <Modal title="Delete it?" onClose={onClose}>
        <button type="button">Delete</button>
      </Modal>
    </StrictMode>,
  );
  return screen.getByRole("dialog", { name: "Delete it?" });
}

test("it tells when the browser closed it, as for the Escape key", () => {
  const onClose = vi.fn();
  show(onClose).close();
  expect(onClose).toHaveBeenCalledOnce();
});

test("late news that it was closed does not close it when it is open again", () => {
  const onClose = vi.fn();
  const dialog = show(onClose);
  expect(dialog.open).toBe(true);
  fireEvent(dialog, new Event("close"));
  expect(onClose).not.toHaveBeenCalled();
});
