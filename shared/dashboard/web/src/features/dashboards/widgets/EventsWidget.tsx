// What stations and the hub say of the mission in the time shown, newest first.
import { useMemo } from "react";
import { clockTime, dateAndTime } from "../../../format/time";
import { Failure, Loading } from "../../../shell/Notice";
import { between } from "../../events/book";
import { SeverityWord, Speaker } from "../../events/EventTable";
import { type LogRow, matcher } from "../../events/log";
import { useEventLog, useOlderEvents } from "../../events/useEventLog";
import type { WidgetProps } from "./kinds";

const ROWS_MAX = 100;

export function EventsWidget({ mission, name, opts }: WidgetProps) {
  const log = useEventLog(mission);
  const least = opts.severity === "warning" || opts.severity === "error" ? opts.severity : undefined;
  const matching = useMemo(() => log.rows.filter(matcher(least, "")), [log.rows, least]);
  const rows = between(matching, log.from, log.to);
  useOlderEvents(log, rows, ROWS_MAX);
  const hidden = rows.length - ROWS_MAX;
  const readSoFar = log.hasMore ? "at least " : "";
  const notes = hidden > 0 ? [`${readSoFar}${hidden} more on the page of events`, ...log.notes] : log.notes;
  return (
    <>
      {log.error === null ? null : <Failure error={log.error} onRetry={log.retry} />}
      {log.isPending && log.error === null ? <Loading what="events" /> : null}
      {rows.length > 0 ? (
        <div className="widget-scroller">
          <table className="grid" aria-label={`Events: ${name}`}>
            <thead>
              <tr>
                <th scope="col">At (UTC)</th>
                <th scope="col">Severity</th>
                <th scope="col">Said by</th>
                <th scope="col">What</th>
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, ROWS_MAX).map((row) => (
                <EventRow key={row.key} row={row} />
              ))}
            </tbody>
          </table>
        </div>
      ) : log.isPending || log.hasMore || log.error !== null ? null : (
        <p className="empty">No event in this time.</p>
      )}
      {notes.length === 0 ? null : <p className="faint widget-note">{notes.join(" · ")}</p>}
    </>
  );
}

function EventRow({ row }: { row: LogRow }) {
  return (
    <tr>
      <th scope="row">
        <time title={dateAndTime(row.at)}>{clockTime(row.at)}</time>
      </th>
      <td>
        <SeverityWord severity={row.severity} />
      </td>
      <td className="faint">
        <Speaker row={row} />
      </td>
      <td title={row.code}>
        <bdi>{row.text}</bdi>
      </td>
    </tr>
  );
}
