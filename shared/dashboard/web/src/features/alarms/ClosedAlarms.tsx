// Fetches alarms that nobody has to deal with any more, newest first, a page at a time.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { closedAlarmsQuery } from "../../api/alarms";
import { count } from "../../format/quantity";
import { Failure, Loading } from "../../shell/Notice";
import type { RowContext } from "./AlarmRow";
import { AlarmTable } from "./AlarmTable";
import { type AlarmSearch, type SortKey, shown } from "./filters";

interface Props {
  mission: string;
  search: AlarmSearch;
  me: string;
  context: RowContext;
  onSort: (key: SortKey) => void;
}

export function ClosedAlarms({ mission, search, me, context, onSort }: Props) {
  const closed = useInfiniteQuery(closedAlarmsQuery(mission));
  const rows = useMemo(() => {
    const fetched = (closed.data?.pages ?? []).flatMap((page) =>
      page.alarms.map((alarm) => ({ mission, alarm })),
    );
    return shown(fetched, { sort: "since", ...search }, me);
  }, [closed.data, mission, search, me]);
  return (
    <>
      {closed.isPending ? <Loading what="closed alarms" /> : null}
      {closed.isError ? <Failure error={closed.error} onRetry={() => void closed.refetch()} /> : null}
      {closed.data === undefined ? null : rows.length === 0 ? (
        <p className="empty">No closed alarm among the newest matches.</p>
      ) : (
        <AlarmTable
          label={`Closed alarms of ${mission}`}
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
