import { act, renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import { useFollow, useHold } from "./useFollow";

interface Row {
  key: string;
}

const row = (key: string): Row => ({ key });
const keyOf = ({ key }: Row) => key;
const keys = (rows: readonly Row[]) => rows.map(keyOf).join("");

test("a held list goes on with older rows, also when the last of its rows was corrected", () => {
  const { result, rerender } = renderHook(({ rows }) => useFollow(rows, keyOf, useHold()), {
    initialProps: { rows: [row("d"), row("c")] },
  });
  act(() => result.current.hold(0));
  rerender({ rows: [row("e"), row("d"), row("c"), row("b"), row("a")] });
  expect(keys(result.current.shown)).toBe("dcba");
  expect(keys(result.current.fresh)).toBe("e");
});
