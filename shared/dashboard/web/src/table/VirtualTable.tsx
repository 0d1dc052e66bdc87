// A table of any length: only the rows in sight are in the document. `j` and `k` go from row to row.
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type FocusEvent,
  type KeyboardEvent,
  type ReactNode,
  type Ref,
  useEffect,
  useImperativeHandle,
  useRef,
} from "react";
import { useKeptPlace } from "./useKeptPlace";
import "./table.css";

const ROW_HEIGHT = 30;
// What a row is about stands in its header; what is there opens it.
const CONTROLS = ["th a, th button", "a, button, input"];
const ARROWS = { ascending: " ↑", descending: " ↓", none: "" };

export interface Column {
  /** Also the class of its cells, which the style sheet gives a width. */
  name: string;
  title: ReactNode;
  /** What the title means, for who points at it. */
  hint?: string;
  sort?: "ascending" | "descending" | "none";
  /** Sorts by this column. */
  onSort?: () => void;
}

export interface TableHandle {
  /** Brings the focus to a row, which may be out of sight. */
  focusRow: (index: number) => void;
}

interface Props {
  label: string;
  handle?: Ref<TableHandle>;
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
  /** The row in which the focus came to be. */
  onFocusRow?: (index: number) => void;
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

  useKeptPlace({
    isKept: props.keepsPlace ?? false,
    scroller,
    uppermost: rows.range?.startIndex ?? 0,
    rowHeight: props.rowHeight ?? ROW_HEIGHT,
    count,
    rowKey,
  });

  // A row that was out of sight is drawn after scrolling to it, and can be focused only then.
  useEffect(() => {
    if (wanted.current !== null && focusRow(scroller.current, wanted.current)) wanted.current = null;
  });

  const goTo = (index: number) => {
    if (focusRow(scroller.current, index)) return;
    wanted.current = index;
    rows.scrollToIndex(index);
  };
  useImperativeHandle(props.handle, () => ({ focusRow: goTo }));

  const onFocus = (event: FocusEvent) => {
    const at = rowOf(event.target);
    if (at !== null) props.onFocusRow?.(at);
  };
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
    if (count === 0) return;
    event.preventDefault();
    goTo(at === null ? (rows.range?.startIndex ?? 0) : Math.min(count - 1, Math.max(0, at + step)));
  };

  return (
    <section
      className="panel table-scroller"
      ref={scroller}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard.
      tabIndex={0}
      onFocus={onFocus}
      onKeyDown={onKeyDown}
    >
      <table className={`grid virtual ${props.className ?? ""}`} aria-label={label} aria-rowcount={count + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Head key={column.name} column={column} />
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
                tabIndex={-1}
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

function Head({ column: { name, title, hint, sort, onSort } }: { column: Column }) {
  return (
    <th scope="col" className={name} title={onSort ? undefined : hint} aria-sort={sort}>
      {onSort ? (
        <button type="button" className="sort" title={hint} onClick={onSort}>
          {title}
          <span aria-hidden="true">{ARROWS[sort ?? "none"]}</span>
        </button>
      ) : (
        title
      )}
    </th>
  );
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
  const row = scroller?.querySelector<HTMLElement>(`tr[data-index="${index}"]`) ?? null;
  if (row === null) return false;
  const controls = CONTROLS.map((control) => row.querySelector<HTMLElement>(control));
  (controls.find((control) => control !== null) ?? row).focus();
  return true;
}
