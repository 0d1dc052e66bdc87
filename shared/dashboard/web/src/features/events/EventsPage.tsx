// What nodes, people and the hub had to say, at the time that is shown.
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useDeferredValue, useMemo, useState } from "react";
import { count, plural } from "../../format/quantity";
import { dateAndTime } from "../../format/time";
import { useLoggedIn, useRefusal } from "../../session/access";
import { Failure, Loading } from "../../shell/Notice";
import { FollowBar } from "../../table/FollowBar";
import { useFollow, useHold } from "../../table/useFollow";
import { useTime } from "../../time/useTime";
import { between } from "./book";
import { EventDetail } from "./EventDetail";
import { EventFilters } from "./EventFilters";
import { EventTable } from "./EventTable";
import { type LogRow, matcher, timeOfKey } from "./log";
import { PostEvent } from "./PostEvent";
import type { EventsSearch } from "./routes";
import { useEventLog, useOlderEvents } from "./useEventLog";
import "./events.css";

const route = getRouteApi("/m/$mission/events");
const keyOf = (row: LogRow) => row.key;
/** Rows that are read before somebody scrolls to them. */
const ROWS_AHEAD = 150;

export function EventsPage() {
  const { mission } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const hubRefusal = useRefusal("administer");
  const isOfHub = search.of === "hub" && hubRefusal === null;
  const onChange = (changes: Partial<EventsSearch>) =>
    void navigate({ search: (old) => ({ ...old, ...changes }), replace: true });
  return (
    <>
      <header className="page-head">
        <h1>Events</h1>
        <EventFilters filters={search} hubRefusal={hubRefusal} onChange={onChange} />
        <span className="grow" />
        <PostEvent key={mission} mission={mission} />
      </header>
      <Log
        key={`${mission} ${isOfHub}`}
        mission={mission}
        source={isOfHub ? null : mission}
        search={search}
        onClose={() => onChange({ event: undefined })}
      />
    </>
  );
}

interface LogProps {
  mission: string;
  /** `null`: the hub's own. */
  source: string | null;
  search: EventsSearch;
  onClose: () => void;
}

function Log({ mission, source, search, onClose }: LogProps) {
  const { mode, now } = useTime();
  const { server } = useLoggedIn().session;
  const held = useHold<LogRow>();
  const log = useEventLog(source, held.held?.since ?? null);
  const { shown, heldSince, fresh, hold, follow } = useFollow(log.rows, keyOf, held);
  const { severity, q = "", event = null } = search;
  // Typing goes before searching through a hundred thousand rows.
  const sought = useDeferredValue(q);
  const isMatching = useMemo(() => matcher(severity, sought), [severity, sought]);
  // Matched once for all times, and cut by time at each frame: the other way round, all would be matched at each frame.
  const matching = useMemo(() => shown.filter(isMatching), [shown, isMatching]);
  const [drawn, setDrawn] = useState(0);
  const onRange = useCallback((_: number, end: number) => setDrawn(end), []);
  const from = heldSince === null ? log.from : Number.NEGATIVE_INFINITY;
  const rows = between(matching, from, log.to);
  const inTime = between(shown, from, log.to).length;
  const chosen = event === null ? undefined : shown.find((row) => row.key === event);
  const isAhead = event !== null && timeOfKey(event) <= log.readTo && timeOfKey(event) >= log.from;
  const isLookedFor = isAhead && chosen === undefined;
  useOlderEvents(log, rows, isLookedFor ? Number.POSITIVE_INFINITY : drawn + ROWS_AHEAD);
  const least = log.hasMore ? "at least " : "";
  return (
    <>
      <p className="list-foot">
        <span className="faint">
          {`${least}${plural(rows.length, "event")}`}
          {rows.length < inTime ? ` of ${least}${count(inTime)}` : ""}
          {` · ${dateAndTime(log.from)} – ${dateAndTime(now)}`}
          {log.notes.map((note) => ` · ${note}`).join("")}
        </span>
        {mode.kind === "live" ? (
          <FollowBar
            heldSince={heldSince}
            fresh={fresh.filter(isMatching).length}
            onHold={() => hold(now)}
            onFollow={follow}
          />
        ) : null}
      </p>
      {log.error === null ? null : <Failure error={log.error} onRetry={log.retry} />}
      {log.isPending && log.error === null ? <Loading what="events" /> : null}
      {rows.length > 0 ? (
        <EventTable
          label={source === null ? `Events of the ${server.kind}` : `Events of ${mission}`}
          rows={rows}
          selected={event}
          onRange={onRange}
        />
      ) : log.isPending || log.hasMore || log.error !== null ? null : (
        <p className="empty">
          {inTime > 0
            ? "No event of this range matches. Clear the filters to see all."
            : "Nothing was said in this range."}
        </p>
      )}
      {chosen === undefined ? null : <EventDetail mission={mission} row={chosen} onClose={onClose} />}
    </>
  );
}
