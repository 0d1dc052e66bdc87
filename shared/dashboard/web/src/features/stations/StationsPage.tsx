// All stations of the hub as a table.

import { useMemo } from "react";
import { useFrame } from "../../live/hooks";
import { Failure, Loading } from "../../shell/Notice";
import { SearchField } from "../../shell/SearchField";
import "./stations.css";
import { NodesTable } from "./NodesTable";
import { foundNodes, type NodesSort } from "./order";
import { StationSummary } from "./StationSummary";
import { useStations } from "./useStations";

interface Props {
  q: string;
  sort: NodesSort;
  onSearch: (changes: { q?: string; sort?: NodesSort }) => void;
}

export function StationsPage({ q, sort, onSearch }: Props) {
  const frame = useFrame();
  const { nodes, error, retry } = useStations();
  const found = useMemo(() => (nodes === null ? null : foundNodes(nodes, q, sort)), [nodes, q, sort]);
  return (
    <>
      <header className="page-head">
        <h1>Stations</h1>
        <SearchField
          label="Find a station"
          value={q}
          placeholder="Site, name or state"
          isNarrow
          onSearch={(words) => onSearch({ q: words, sort })}
        />
        {nodes === null ? null : <StationSummary nodes={nodes} frozen={frame.health.state !== "live"} />}
      </header>
      {nodes === null && error === null ? <Loading what="stations" /> : null}
      {nodes === null && error !== null ? <Failure error={error} onRetry={retry} /> : null}
      {nodes?.length === 0 ? (
        <p className="empty">
          No station is enrolled. Make an enrolment token under Administration and use it on the station's
          node.
        </p>
      ) : null}
      {found?.length === 0 && nodes?.length !== 0 ? (
        <p className="empty">No station is called like this.</p>
      ) : null}
      {found === null || found.length === 0 ? null : (
        <NodesTable
          nodes={found}
          server="hub"
          frame={frame}
          sort={sort}
          onSort={(next) => onSearch({ q, sort: next })}
        />
      )}
    </>
  );
}
