// A list of alarms as a table, of which only the rows in sight are in the document.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import { Spacer } from "../stations/Spacer";
import { AlarmRow, type RowContext } from "./AlarmRow";
import type { AlarmSearch, MissionAlarm, SortKey } from "./filters";
import type { CauseGroup } from "./flood";
import { GroupRow } from "./GroupRow";

const ROW_HEIGHT = 34;

/** A row: an alarm, or the head of a group of them. */
export type Entry =
  | { kind: "alarm"; row: MissionAlarm }
  | { kind: "group"; group: CauseGroup; isOpen: boolean };

interface Props {
  label: string;
  entries: readonly Entry[];
  context: RowContext;
  sort: AlarmSearch["sort"];
  onSort: (key: SortKey) => void;
  onGroup: (key: string) => void;
  /** Selects all that are shown, or none. */
  onSelectAll: (selected: boolean) => void;
}

const COLUMNS: readonly { className: string; text: string; sort?: SortKey; title?: string }[] = [
  { className: "a-severity", text: "Severity", sort: "severity" },
  { className: "a-state", text: "State", sort: "state" },
  { className: "a-subject", text: "Subject", sort: "subject" },
  { className: "a-since", text: "Since (UTC)", sort: "since" },
  {
    className: "a-value",
    text: "Tripped at",
    title: "The value that raised it, and the limit that it broke",
  },
  {
    className: "a-worst number",
    text: "Worst",
    title: "The value that was furthest beyond its limit, or had the highest score",
  },
  { className: "a-live number", text: "Now", title: "The newest value of the parameter" },
  { className: "a-count number", text: "Count", sort: "count", title: "How often it began" },
  { className: "a-site", text: "Station" },
  { className: "a-owner", text: "Owner", sort: "owner" },
];

export function AlarmTable({ label, entries, context, sort, onSort, onGroup, onSelectAll }: Props) {
  const scroller = useRef<HTMLElement>(null);
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 10,
  });
  const { cursor } = context;
  const at = cursor?.byKey
    ? entries.findIndex((entry) => entry.kind === "alarm" && entry.row.alarm.id === cursor.id)
    : -1;
  useEffect(() => {
    if (at >= 0) rows.scrollToIndex(at);
  }, [rows, at]);
  const inSight = rows.getVirtualItems();
  const alarms = entries.filter((entry) => entry.kind === "alarm");
  const allSelected = alarms.length > 0 && alarms.every((entry) => context.selected.has(entry.row.alarm.id));
  return (
    <section
      className="panel table-scroller alarms"
      ref={scroller}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard.
      tabIndex={0}
    >
      <table className="grid alarm-table" aria-rowcount={entries.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col" className="a-select">
              <input
                type="checkbox"
                aria-label="Select all that are shown"
                checked={allSelected}
                onChange={(event) => onSelectAll(event.target.checked)}
              />
            </th>
            {COLUMNS.map((column) => (
              <Head key={column.text} {...column} current={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <Spacer height={inSight[0]?.start ?? 0} />
        <tbody>
          {inSight.map(({ index }) => {
            const entry = entries[index];
            if (entry === undefined) return null;
            return entry.kind === "alarm" ? (
              <AlarmRow key={entry.row.alarm.id} index={index + 2} row={entry.row} context={context} />
            ) : (
              <GroupRow
                key={entry.group.key}
                index={index + 2}
                group={entry.group}
                isOpen={entry.isOpen}
                columns={COLUMNS.length + 1}
                onToggle={() => onGroup(entry.group.key)}
              />
            );
          })}
        </tbody>
        <Spacer height={rows.getTotalSize() - (inSight.at(-1)?.end ?? 0)} />
      </table>
    </section>
  );
}

interface HeadProps {
  className: string;
  text: string;
  title?: string;
  sort?: SortKey;
  current: AlarmSearch["sort"];
  onSort: (key: SortKey) => void;
}

function Head({ className, text, title, sort, current, onSort }: HeadProps) {
  if (sort === undefined)
    return (
      <th scope="col" className={className} title={title}>
        {text}
      </th>
    );
  const order = current === sort ? "ascending" : current === `-${sort}` ? "descending" : "none";
  return (
    <th scope="col" className={className} title={title} aria-sort={order}>
      <button type="button" className="sort" onClick={() => onSort(sort)}>
        {text} <span aria-hidden="true">{order === "none" ? "" : order === "ascending" ? "▼" : "▲"}</span>
      </button>
    </th>
  );
}
