// Fetches the nodes once, then follows them through the heartbeat.
import { useQuery } from "@tanstack/react-query";
import { nodesQuery } from "../../api/queries";
import { useFrame, useLive } from "../../live/hooks";
import { Failure, Loading } from "../../shell/Notice";
import type { Server } from "../../types";
import { StationCard } from "./StationCard";
import { StationSummary } from "./StationSummary";

export function StationsPage({ server }: { server: Server["kind"] }) {
  const frame = useFrame();
  const live = useLive();
  const fetched = useQuery(nodesQuery);
  const nodes = live.feed.nodes ?? fetched.data?.nodes;
  return (
    <>
      <header className="page-head">
        <h1>{server === "edge" ? "Station" : "Stations"}</h1>
        {nodes === undefined || server === "edge" ? null : (
          <StationSummary nodes={nodes} frozen={frame.health.state !== "live"} />
        )}
      </header>
      {nodes === undefined && fetched.isPending ? <Loading what="stations" /> : null}
      {nodes === undefined && fetched.isError ? (
        <Failure error={fetched.error} onRetry={() => void fetched.refetch()} />
      ) : null}
      {nodes?.length === 0 ? (
        <p className="empty">
          No station is enrolled. Make a join token on the hub and use it on the station's node.
        </p>
      ) : null}
      <div className="stations">
        {nodes?.map((node) => (
          <StationCard key={node.name} node={node} server={server} frame={frame} />
        ))}
      </div>
    </>
  );
}
