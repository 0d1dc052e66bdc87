// How a long table is walked: by keys, by whoever holds its handle, and by its heads.
import { act, fireEvent, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createRef } from "react";
import { expect, test, vi } from "vitest";
import { type TableHandle, VirtualTable } from "./VirtualTable";

const ROWS = 1_000;

interface Changes {
  cells?: (index: number) => React.ReactNode;
  onKey?: (key: string, index: number) => boolean;
  onFocusRow?: (index: number) => void;
  onSort?: () => void;
}

function open({ cells = (index) => <td>row {index}</td>, onSort, ...changes }: Changes = {}) {
  const handle = createRef<TableHandle>();
  render(
    <VirtualTable
      label="Rows"
      handle={handle}
      columns={[
        { name: "one", title: "One", hint: "The first", sort: "none", ...(onSort ? { onSort } : {}) },
      ]}
      count={ROWS}
      rowKey={(index) => index}
      {...changes}
    >
      {cells}
    </VirtualTable>,
  );
  const focus = (index: number) => act(() => handle.current?.focusRow(index));
  return { focus, user: userEvent.setup() };
}

function focusedRow(): string | null {
  return document.activeElement?.closest("tr")?.textContent ?? null;
}

test("only the rows in sight are in the document, and each knows its place", () => {
  open();
  expect(screen.getByRole("table", { name: "Rows" }).getAttribute("aria-rowcount")).toBe("1001");
  expect(screen.getByRole("row", { name: "row 3" }).getAttribute("aria-rowindex")).toBe("5");
  expect(screen.queryByText("row 900")).toBeNull();
});

test.each([
  ["of text", (index: number) => <td>row {index}</td>, "TR"],
  [
    "with a header that opens it",
    (index: number) => (
      <>
        <td>
          <input type="checkbox" aria-label="Select" />
        </td>
        <th scope="row">
          <button type="button">row {index}</button>
        </th>
      </>
    ),
    "BUTTON",
  ],
  [
    "with a control elsewhere",
    (index: number) => (
      <>
        <th scope="row">row {index}</th>
        <td>
          <input type="checkbox" aria-label="Select" />
        </td>
      </>
    ),
    "INPUT",
  ],
])("j and k go from row to row, also through rows %s", async (_, cells, focused) => {
  const { user, focus } = open({ cells });
  focus(0);
  await user.keyboard("jjk");
  expect(focusedRow()).toBe("row 1");
  expect(document.activeElement?.tagName).toBe(focused);
  await user.keyboard("kkk");
  expect(focusedRow()).toBe("row 0");
});

test("the first key brings the focus from the table to its uppermost row", async () => {
  const { user } = open();
  screen.getByRole("region", { name: "Rows" }).focus();
  await user.keyboard("j");
  expect(focusedRow()).toBe("row 0");
});

test("a row out of sight is scrolled to and has the focus, and whoever asked is told", () => {
  // Nothing is laid out here: what can be scrolled has no height, and no event tells that it was.
  vi.spyOn(HTMLElement.prototype, "scrollHeight", "get").mockReturnValue(ROWS * 30);
  const onFocusRow = vi.fn();
  const { focus } = open({ onFocusRow });
  focus(900);
  fireEvent.scroll(screen.getByRole("region", { name: "Rows" }));
  expect(focusedRow()).toBe("row 900");
  expect(onFocusRow.mock.calls).toEqual([[900]]);
});

test("another key is the row's, but not behind g, which leads to another page", async () => {
  const onKey = vi.fn(() => true);
  const { user, focus } = open({ onKey });
  focus(2);
  await user.keyboard("x");
  expect(onKey.mock.calls).toEqual([["x", 2]]);
  await user.keyboard("gj");
  expect(focusedRow()).toBe("row 2");
});

test("a column that sorts has a button, says its order, and explains itself", async () => {
  const onSort = vi.fn();
  const { user } = open({ onSort });
  const head = screen.getByRole("columnheader", { name: "One" });
  expect(head.getAttribute("aria-sort")).toBe("none");
  await user.click(within(head).getByRole("button", { name: "One" }));
  expect(onSort).toHaveBeenCalledOnce();
  expect(within(head).getByTitle("The first")).toBeTruthy();
});
