// A table of any length: only the rows in sight are in the document. `j` and `k` go from row to row.
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef } from "react";
import "./table.css";

const ROW_HEIGHT = 30;
const CONTROL = "a, button, input";
/** Rows that may come above at once without the uppermost one moving. */
const SHIFT_MAX = 5_000;

export interface Column {
  /** Also the class of its cells, which the style sheet gives a width. */
  name: string;
  title: ReactNode;
  sort?: "ascending" | "descending";
}

interface Props {
  label: string;
  className?: string;
  columns: readonly Column[];
  count: number;
  /** Pixels, as the style sheet has it. */
  rowHeight?: number;
  /** The row that is uppermost at first; the first one when absent. */
  startAt?: number;
  rowKey: (index: number) => string | number;
  /** The cells of a row. */
  children: (index: number) => ReactNode;
  rowClass?: (index: number) => string | undefined;
  isSelected?: (index: number) => boolean;
  /** Rows that are drawn, last excluded. */
  onRange?: (first: number, end: number) => void;
  onKey?: (key: string, index: number) => boolean;
  /** Rows that come above those in sight do not push them away. */
  keepsPlace?: boolean;
}

export function VirtualTable(props: Props) {
  const { label, columns, count, rowKey, children, rowClass, isSelected, onRange, onKey } = props;
  const scroller = useRef<HTMLElement>(null);
  const wanted = useRef<number | null>(null);
  const before = useRef("");
  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => props.rowHeight ?? ROW_HEIGHT,
    initialOffset: (props.startAt ?? 0) * (props.rowHeight ?? ROW_HEIGHT),
    overscan: 10,
    getItemKey: rowKey,
  });
  const shown = rows.getVirtualItems();
  const first = shown[0]?.index ?? 0;
  const end = (shown.at(-1)?.index ?? -1) + 1;
  useEffect(() => onRange?.(first, end), [onRange, first, end]);

  const uppermost = useRef<{ key: string | number; index: number } | null>(null);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!props.keepsPlace || element === null) return;
    const shift = element.scrollTop > 0 ? shiftOf(uppermost.current, rowKey, count) : 0;
    if (shift !== 0) element.scrollTop += shift * (props.rowHeight ?? ROW_HEIGHT);
    const index = (rows.range?.startIndex ?? 0) + shift;
    uppermost.current = index < count ? { key: rowKey(index), index } : null;
  });

  // A row that was out of sight is drawn after scrolling to it, and can be focused only then.
  useEffect(() => {
    if (wanted.current !== null && focusRow(scroller.current, wanted.current)) wanted.current = null;
  });

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const isGoing = before.current === "g";
    before.current = event.key;
    // Behind `g`, a letter leads to another page.
    if (isGoing) return;
    const at = rowOf(event.target);
    const step = { j: 1, k: -1 }[event.key];
    if (step === undefined) {
      if (at !== null && onKey?.(event.key, at)) event.preventDefault();
      return;
    }
    const next = at === null ? first : Math.min(count - 1, Math.max(0, at + step));
    if (next < 0 || count === 0) return;
    event.preventDefault();
    if (focusRow(scroller.current, next)) return;
    wanted.current = next;
    rows.scrollToIndex(next);
  };

  return (
    <section
      className="panel table-scroller"
      ref={scroller}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard.
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <table className={`grid virtual ${props.className ?? ""}`} aria-label={label} aria-rowcount={count + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map(({ name, title, sort }) => (
              <th key={name} scope="col" className={name} {...(sort ? { "aria-sort": sort } : {})}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <Spacer height={shown[0]?.start ?? 0} />
        <tbody>
          {shown.map(({ index, key }) =>
            index >= count ? null : (
              <tr
                key={String(key)}
                data-index={index}
                aria-rowindex={index + 2}
                aria-current={isSelected?.(index) ? "true" : undefined}
                className={rowClass?.(index)}
              >
                {children(index)}
              </tr>
            ),
          )}
        </tbody>
        <Spacer height={rows.getTotalSize() - (shown.at(-1)?.end ?? 0)} />
      </table>
    </section>
  );
}

/** By how many rows a row moved; 0 when it is not found near where it was. */
function shiftOf(
  was: { key: string | number; index: number } | null,
  rowKey: (index: number) => string | number,
  count: number,
): number {
  if (was === null) return 0;
  for (let shift = 0; shift <= SHIFT_MAX && was.index + shift < count; shift += 1)
    if (rowKey(was.index + shift) === was.key) return shift;
  return 0;
}

function Spacer({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tbody aria-hidden="true">
      <tr style={{ height }} />
    </tbody>
  );
}

function rowOf(target: EventTarget): number | null {
  const row = target instanceof Element ? target.closest<HTMLElement>("tr[data-index]") : null;
  return row === null ? null : Number(row.dataset.index);
}

function isTyping(target: EventTarget): boolean {
  return target instanceof Element && target.matches("input:not([type=checkbox]), select, textarea");
}

function focusRow(scroller: HTMLElement | null, index: number): boolean {
  const row = scroller?.querySelector(`tr[data-index="${index}"]`);
  const control = row?.querySelector<HTMLElement>(CONTROL);
  control?.focus();
  return control !== null && control !== undefined;
}
