// Rows that come above those in sight do not push them away.
import { type RefObject, useLayoutEffect, useRef } from "react";

/** Rows that may come above at once without the uppermost one moving. */
const SHIFT_MAX = 5_000;

type Key = string | number;

interface Table {
  isKept: boolean;
  scroller: RefObject<HTMLElement | null>;
  /** The row at the upper edge. */
  uppermost: number;
  /** Pixels. */
  rowHeight: number;
  count: number;
  rowKey: (index: number) => Key;
}

export function useKeptPlace({ isKept, scroller, uppermost, rowHeight, count, rowKey }: Table): void {
  const was = useRef<{ key: Key; index: number } | null>(null);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!isKept || element === null) return;
    const shift = element.scrollTop > 0 ? shiftOf(was.current, rowKey, count) : 0;
    if (shift !== 0) element.scrollTop += shift * rowHeight;
    const index = uppermost + shift;
    was.current = index < count ? { key: rowKey(index), index } : null;
  });
}

/** By how many rows a row moved; 0 when it is not found near where it was. */
function shiftOf(
  was: { key: Key; index: number } | null,
  rowKey: (index: number) => Key,
  count: number,
): number {
  if (was === null) return 0;
  for (let shift = 0; shift <= SHIFT_MAX && was.index + shift < count; shift += 1)
    if (rowKey(was.index + shift) === was.key) return shift;
  return 0;
}
