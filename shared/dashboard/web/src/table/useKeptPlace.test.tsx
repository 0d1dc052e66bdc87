import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { VirtualTable } from "./VirtualTable";

const ROW_PX = 30;

/** Rows by number, the highest first. */
function Rows({ newest }: { newest: number }) {
  return (
    <VirtualTable
      label="Rows"
      columns={[{ name: "number", title: "Number" }]}
      count={newest + 1}
      rowKey={(index) => newest - index}
      keepsPlace
    >
      {(index) => <td>{newest - index}</td>}
    </VirtualTable>
  );
}

const scroller = () => screen.getByRole("region", { name: "Rows" });

function scroll(rows: number): void {
  scroller().scrollTop = rows * ROW_PX;
  fireEvent.scroll(scroller());
}

test("rows that come above those in sight do not push them away", () => {
  const { rerender } = render(<Rows newest={1_000} />);
  scroll(400);
  rerender(<Rows newest={1_003} />);
  expect(scroller().scrollTop).toBe(403 * ROW_PX);
  fireEvent.scroll(scroller());
  expect(screen.getByText("600")).toBeTruthy();
});

test("who stands at the top sees what comes", () => {
  const { rerender } = render(<Rows newest={1_000} />);
  rerender(<Rows newest={1_003} />);
  expect(scroller().scrollTop).toBe(0);
  expect(screen.getByText("1003")).toBeTruthy();
});
