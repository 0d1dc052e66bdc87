// A list of alarms as a table.
import type { Ref } from "react";
import { type TableHandle, VirtualTable } from "../../table/VirtualTable";
import { AlarmCells, type RowContext, rowClass } from "./AlarmRow";
import type { AlarmSearch, MissionAlarm, SortKey } from "./filters";
import type { CauseGroup } from "./flood";
import { GroupCell } from "./GroupRow";

const ROW_HEIGHT = 34;

/** A row: an alarm, or the head of a group of them. */
export type Entry =
  | { kind: "alarm"; row: MissionAlarm }
  | { kind: "group"; group: CauseGroup; isOpen: boolean };

interface Props {
  label: string;
  handle?: Ref<TableHandle>;
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

export function AlarmTable(props: Props) {
  const { label, handle, entries, context, sort, onSort, onGroup, onSelectAll } = props;
  const alarms = entries.filter((entry) => entry.kind === "alarm");
  const allSelected = alarms.length > 0 && alarms.every((entry) => context.selected.has(entry.row.alarm.id));
  const alarmAt = (index: number) => {
    const entry = entries[index];
    return entry?.kind === "alarm" ? entry.row.alarm : null;
  };
  return (
    <VirtualTable
      label={label}
      handle={handle}
      className="alarm-table"
      rowHeight={ROW_HEIGHT}
      columns={[
        {
          name: "a-select",
          title: (
            <input
              type="checkbox"
              aria-label="Select all that are shown"
              checked={allSelected}
              onChange={(event) => onSelectAll(event.target.checked)}
            />
          ),
        },
        ...COLUMNS.map(({ className, text, title, sort: key }) => ({
          name: className,
          title: text,
          ...(title === undefined ? {} : { hint: title }),
          ...(key === undefined ? {} : { sort: orderOf(key, sort), onSort: () => onSort(key) }),
        })),
      ]}
      count={entries.length}
      rowKey={(index) => keyOf(entries[index]) ?? index}
      rowClass={(index) => {
        const alarm = alarmAt(index);
        return alarm === null ? "cause-group" : rowClass(alarm, context);
      }}
      isSelected={(index) => context.opened !== null && alarmAt(index)?.id === context.opened}
      onFocusRow={(index) => context.onCursor(alarmAt(index)?.id ?? null)}
    >
      {(index) => {
        const entry = entries[index];
        if (entry === undefined) return null;
        return entry.kind === "alarm" ? (
          <AlarmCells row={entry.row} context={context} />
        ) : (
          <GroupCell
            group={entry.group}
            isOpen={entry.isOpen}
            columns={COLUMNS.length + 1}
            onToggle={() => onGroup(entry.group.key)}
          />
        );
      }}
    </VirtualTable>
  );
}

function keyOf(entry: Entry | undefined): string | undefined {
  return entry?.kind === "group" ? entry.group.key : entry?.row.alarm.id;
}

function orderOf(key: SortKey, sort: AlarmSearch["sort"]): "ascending" | "descending" | "none" {
  if (sort === key) return "ascending";
  return sort === `-${key}` ? "descending" : "none";
}
