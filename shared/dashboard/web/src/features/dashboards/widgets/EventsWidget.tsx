// What stations and the hub say of the mission in the time shown, newest first.
import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { missionPath, request } from "../../../api/client";
import { clockTime, dateAndTime, parseTime } from "../../../format/time";
import { useLiveEvents } from "../../../live/hooks";
import { Failure } from "../../../shell/Notice";
import { type Status, StatusSymbol } from "../../../shell/StatusSymbol";
import { type TimeWindow, writeMode } from "../../../time/mode";
import { useTime, useTimeNow } from "../../../time/useTime";
import type { EventEntry } from "../../../types";
import { type EventSeverity, eventKey, joinEvents } from "./events";
import type { WidgetProps } from "./kinds";

const ROWS_MAX = 100;
const PAGE = 1_000;
const NONE: readonly EventEntry[] = [];
const SYMBOLS: Record<EventSeverity, Status> = { info: "standby", warning: "caution", error: "critical" };

function pastEventsQuery(mission: string, windowName: string, span: () => TimeWindow) {
  return queryOptions({
    queryKey: ["events of a widget", mission, windowName],
    queryFn: async () => {
      const { from, to } = span();
      const search = new URLSearchParams({
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        limit: String(PAGE),
      });
      const { events } = await request<{ events: EventEntry[] }>(
        "GET",
        `${missionPath(mission, "events")}?${search}`,
      );
      return events;
    },
    placeholderData: keepPreviousData,
    staleTime: 0,
    gcTime: 10_000,
  });
}

export function EventsWidget({ mission, name, opts }: WidgetProps) {
  const { mode, now, window: span } = useTime();
  const timeNow = useTimeNow();
  const isLive = mode.kind === "live";
  const live = useLiveEvents(mission);
  const windowName = writeMode(mode.kind === "replay" ? { ...mode, kind: "fixed" } : mode);
  const past = useQuery(pastEventsQuery(mission, windowName, () => timeNow().window));
  const least = opts.severity === "warning" || opts.severity === "error" ? opts.severity : "info";
  const events = joinEvents(
    past.data ?? NONE,
    isLive ? (live?.entries.toArray() ?? NONE) : NONE,
    least,
  ).filter(
    (event) =>
      parseTime(event.at) >= span.from && parseTime(event.at) <= (isLive ? Number.POSITIVE_INFINITY : now),
  );
  return (
    <>
      {past.isError ? <Failure error={past.error} onRetry={() => void past.refetch()} /> : null}
      {events.length === 0 ? (
        <p className="empty">No event in this time.</p>
      ) : (
        <div className="widget-scroller">
          <table className="grid" aria-label={`Events: ${name}`}>
            <thead>
              <tr>
                <th scope="col">At (UTC)</th>
                <th scope="col">Severity</th>
                <th scope="col">Station</th>
                <th scope="col">What</th>
              </tr>
            </thead>
            <tbody>
              {events.slice(0, ROWS_MAX).map((event) => (
                <EventRow key={eventKey(event)} event={event} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {events.length > ROWS_MAX ? (
        <p className="faint widget-note">{events.length - ROWS_MAX} more on the page of events</p>
      ) : null}
    </>
  );
}

function EventRow({ event }: { event: EventEntry }) {
  const at = parseTime(event.at);
  const severity = event.severity ?? "info";
  return (
    <tr>
      <th scope="row">
        <time title={dateAndTime(at)}>{clockTime(at)}</time>
      </th>
      <td>
        <StatusSymbol status={SYMBOLS[severity] ?? "critical"} /> {severity}
      </td>
      <td className="faint">
        <bdi>{event.node}</bdi>
      </td>
      <td title={event.code}>
        <bdi>{event.text}</bdi>
      </td>
    </tr>
  );
}
