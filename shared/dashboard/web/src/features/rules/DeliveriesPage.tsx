// Fetches what became of each message about a mission's alarms.

import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { deliveriesQuery } from "../../api/alarms";
import { count } from "../../format/quantity";
import { useFrame } from "../../live/hooks";
import { Failure, Loading } from "../../shell/Notice";
import { SearchField } from "../../shell/SearchField";
import { useTimeMode } from "../../time/useTime";
import { DeliveriesTable } from "./DeliveriesTable";
import { type DeliveriesSearch, matching, STATES } from "./deliveries";
import "../alarms/alarms.css";
import "./rules.css";

export function DeliveriesPage() {
  const { mission } = useParams({ from: "/m/$mission/deliveries" });
  const search = useSearch({ from: "/m/$mission/deliveries" });
  const navigate = useNavigate();
  const { serverNow } = useFrame();
  const { mode } = useTimeMode();
  const isLive = mode.kind === "live";
  const log = useInfiniteQuery(
    deliveriesQuery(
      mission,
      isLive ? null : new Date(mode.from).toISOString(),
      isLive ? null : new Date(mode.to).toISOString(),
    ),
  );
  const fetched = log.data?.pages.flatMap((page) => page.deliveries) ?? [];
  const found = matching(fetched, search);
  const change = (next: Partial<DeliveriesSearch>) =>
    void navigate({ to: ".", search: (old) => ({ ...old, ...next }), replace: true });
  return (
    <>
      <header className="page-head">
        <h1>Delivery log</h1>
        <Link to="/m/$mission/rules" params={{ mission }}>
          Rules
        </Link>
        <label className="field">
          <span className="faint">State</span>
          <select
            value={search.state ?? ""}
            onChange={(event) => change({ state: STATES.find((state) => state === event.target.value) })}
          >
            <option value="">any</option>
            {STATES.map((state) => (
              <option key={state}>{state}</option>
            ))}
          </select>
        </label>
        <SearchField
          label="Search messages"
          value={search.q ?? ""}
          placeholder="Contact, channel, answer"
          onSearch={(words) => change({ q: words || undefined })}
        />
        <output className="faint">
          {log.data === undefined ? "" : `${count(found.length)} of ${count(fetched.length)}`}
          {log.isError && log.data !== undefined ? ", last known" : ""}
        </output>
      </header>
      {log.isPending ? <Loading what="messages" /> : null}
      {log.isError ? <Failure error={log.error} onRetry={() => void log.refetch()} /> : null}
      {log.data === undefined ? null : found.length === 0 ? (
        <p className="empty">
          {fetched.length === 0 ? "Nobody was told of anything." : "No message matches."}
        </p>
      ) : (
        <DeliveriesTable mission={mission} deliveries={found} serverNow={serverNow} />
      )}
      {log.hasNextPage ? (
        <p>
          <button
            type="button"
            aria-disabled={log.isFetchingNextPage}
            onClick={() => log.isFetchingNextPage || void log.fetchNextPage()}
          >
            Older ones
          </button>
        </p>
      ) : null}
    </>
  );
}
