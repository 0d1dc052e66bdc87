// Fetches alarms that nobody has to deal with any more, newest first, a page at a time.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { closedAlarmsQuery } from "../../api/alarms";
import { count } from "../../format/quantity";
import { Failure, Loading } from "../../shell/Notice";
import type { RowContext } from "./AlarmRow";
import { AlarmTable } from "./AlarmTable";
import { merged, nextOf } from "./closed";
import { type AlarmSearch, type SortKey, shown } from "./filters";

interface Props {
  missions: readonly string[];
  search: AlarmSearch;
  me: string;
  context: RowContext;
  onSort: (key: SortKey) => void;
}

export function ClosedAlarms({ missions, search, me, context, onSort }: Props) {
  const closed = useInfiniteQuery(closedAlarmsQuery(missions, nextOf));
  const rows = useMemo(
    () => shown(merged(closed.data?.pages ?? []), { sort: "since", ...search }, me),
    [closed.data, search, me],
  );
  return (
    <>
      {closed.isPending ? <Loading what="closed alarms" /> : null}
      {closed.isError ? <Failure error={closed.error} onRetry={() => void closed.refetch()} /> : null}
      {closed.data === undefined ? null : rows.length === 0 ? (
        <p className="empty">No closed alarm among the newest matches.</p>
      ) : (
        <AlarmTable
          label={`Closed alarms of ${missions.length === 1 ? missions[0] : "all missions"}`}
          entries={rows.map((row) => ({ kind: "alarm", row }))}
          context={context}
          sort={search.sort}
          onSort={onSort}
          onGroup={() => {}}
          onSelectAll={() => {}}
        />
      )}
      {closed.hasNextPage ? (
        <p className="acts">
          <button
            type="button"
            aria-disabled={closed.isFetchingNextPage}
            onClick={() => closed.isFetchingNextPage || void closed.fetchNextPage()}
          >
            Older ones
          </button>
          <span className="faint">{count(rows.length)} are shown</span>
        </p>
      ) : null}
    </>
  );
}
