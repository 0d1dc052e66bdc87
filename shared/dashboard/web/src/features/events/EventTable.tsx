// The log as a table; only rows in sight are in the document.
import { Link } from "@tanstack/react-router";
import { dateAndTime, preciseClockTime } from "../../format/time";
import { type Status, StatusSymbol } from "../../shell/StatusSymbol";
import { VirtualTable } from "../../table/VirtualTable";
import type { EventSeverity } from "../../types";
import type { LogRow } from "./log";

const STATUS: Record<EventSeverity, Status> = { error: "serious", info: "standby", warning: "caution" };

interface Props {
  label: string;
  rows: readonly LogRow[];
  selected: string | null;
  /** Rows that are drawn, last excluded. */
  onRange: (first: number, end: number) => void;
}

export function EventTable({ label, rows, selected, onRange }: Props) {
  return (
    <VirtualTable
      label={label}
      className="events"
      columns={[
        { name: "when", title: "Time (UTC)", sort: "descending" },
        { name: "severity", title: "Severity" },
        { name: "node", title: "Said by" },
        { name: "text", title: "What" },
        { name: "code", title: "Code" },
      ]}
      count={rows.length}
      rowKey={(index) => rows[index]?.key ?? index}
      isSelected={(index) => rows[index]?.key === selected}
      onRange={onRange}
      keepsPlace
    >
      {(index) => {
        const row = rows[index];
        return row === undefined ? null : <Cells row={row} />;
      }}
    </VirtualTable>
  );
}

function Cells({ row }: { row: LogRow }) {
  return (
    <>
      <th scope="row">
        <Link to="." search={(old: object) => ({ ...old, event: row.key })} title="Show in full">
          {dateAndTime(row.at).slice(0, 10)} {preciseClockTime(row.at)}
        </Link>
      </th>
      <td>
        <SeverityWord severity={row.severity} />
      </td>
      <td>
        <Speaker row={row} />
      </td>
      <td title={row.text}>
        <bdi>{row.text}</bdi>
      </td>
      <td className="faint" title={row.code}>
        <bdi>{row.code}</bdi>
      </td>
    </>
  );
}

export function SeverityWord({ severity }: { severity: EventSeverity | null }) {
  if (severity === null) return <span className="faint">not graded</span>;
  const status = STATUS[severity] ?? "critical";
  return (
    <>
      <StatusSymbol status={status} />{" "}
      <span className={severity === "info" ? "faint" : `state ${status}`}>{severity}</span>
    </>
  );
}

export function Speaker({ row: { author, node, code } }: { row: LogRow }) {
  if (author !== null)
    return (
      <>
        <bdi>{author}</bdi> <span className="faint">(posted)</span>
      </>
    );
  if (node !== null) return <bdi>{node}</bdi>;
  return <span className="faint">{code === "STO-EVENT-POSTED" ? "posted" : "hub"}</span>;
}
