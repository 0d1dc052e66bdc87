// Fetches packets as they were received, and the one that is taken apart.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { nodesQuery } from "../../api/queries";
import type { PacketFilter } from "../../api/records";
import { count } from "../../format/quantity";
import { clockTime, dateAndTime, parseTime } from "../../format/time";
import { Failure, Loading } from "../../shell/Notice";
import { FollowBar } from "../../table/FollowBar";
import { useFollow, useHold } from "../../table/useFollow";
import { useTime } from "../../time/useTime";
import type { PacketSummary } from "../../types";
import { KEPT_MAX } from "./follow";
import { PacketDetail } from "./PacketDetail";
import { PacketExport } from "./PacketExport";
import { PacketFilters } from "./PacketFilters";
import { PacketTable } from "./PacketTable";
import { receivedUntil } from "./packet";
import { RANGE_MAX, useFollowedPackets, usePacketRange } from "./usePackets";
import "./packets.css";

const route = getRouteApi("/m/$mission/packets");
const idOf = (packet: PacketSummary) => packet.id;

export function PacketsPage() {
  const { mission } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const nodes = useQuery(nodesQuery);
  const { apid, node, link, quarantined, packet = null } = search;
  const filter: PacketFilter = {
    ...(apid === undefined ? {} : { apid }),
    ...(node === undefined ? {} : { node }),
    ...(link === undefined ? {} : { link }),
    ...(quarantined === undefined ? {} : { quarantined }),
  };
  const key = `${mission} ${JSON.stringify(filter)}`;
  return (
    <>
      <header className="page-head">
        <h1>Packets</h1>
        <PacketFilters
          filters={search}
          nodes={nodes.data?.nodes ?? []}
          onChange={(changes) =>
            void navigate({ search: (old) => ({ ...old, ...changes, packet: undefined }), replace: true })
          }
        />
        <span className="grow" />
        <PacketExport mission={mission} filter={filter} />
      </header>
      <div className={packet === null ? "packets-page" : "packets-page with-detail"}>
        <List key={key} mission={mission} filter={filter} selected={packet} />
        {packet === null ? null : (
          <PacketDetail
            key={packet}
            mission={mission}
            id={packet}
            onClose={() => void navigate({ search: (old) => ({ ...old, packet: undefined }) })}
          />
        )}
      </div>
    </>
  );
}

interface ListProps {
  mission: string;
  filter: PacketFilter;
  selected: string | null;
}

function List(props: ListProps) {
  const { mode } = useTime();
  return mode.kind === "live" ? <Following {...props} /> : <Range {...props} />;
}

function Following({ mission, filter, selected }: ListProps) {
  const { now } = useTime();
  const { packets, since, hasSkipped, error, retry } = useFollowedPackets(mission, filter);
  const { shown, heldSince, fresh, hold, follow } = useFollow(packets, idOf, useHold());
  const newest = packets[0];
  return (
    <div className="packet-list">
      <p className="list-foot">
        <span className="faint">
          {since === null ? "" : `Newest first, received since ${clockTime(since)}`}
          {newest === undefined ? "" : ` · the newest at ${clockTime(parseTime(newest.reception_time))}`}
          {packets.length >= KEPT_MAX ? ` · the newest ${count(KEPT_MAX)} are kept` : ""}
          {hasSkipped
            ? " · more came than could be read, and some are left out: choose an APID or a station"
            : ""}
          {" · for older ones choose a fixed range"}
        </span>
        <FollowBar heldSince={heldSince} fresh={fresh.length} onHold={() => hold(now)} onFollow={follow} />
      </p>
      {error === null ? null : <Failure error={error} onRetry={retry} />}
      {since === null && error === null ? <Loading what="packets" /> : null}
      {shown.length > 0 ? (
        <PacketTable
          mission={mission}
          packets={shown}
          selected={selected}
          newestFirst
          onEnd={() => undefined}
        />
      ) : since === null ? null : (
        <p className="empty">No such packet was received since {clockTime(since)}. New ones appear here.</p>
      )}
    </div>
  );
}

function Range({ mission, filter, selected }: ListProps) {
  const { mode, now, window: shown } = useTime();
  const pages = usePacketRange(mission, filter, mode, now);
  const packets = mode.kind === "replay" ? receivedUntil(pages.rows, now) : pages.rows;
  const span = `${dateAndTime(shown.from)} – ${dateAndTime(mode.kind === "replay" ? now : shown.to)}`;
  return (
    <div className="packet-list">
      <p className="list-foot faint">
        <output>
          {count(packets.length)} {pages.hasMore || packets.length < pages.rows.length ? "so far" : "packets"}{" "}
          · received {span}
          {pages.isFull ? ` · the first ${count(RANGE_MAX)} are read: choose a shorter range` : ""}
        </output>
      </p>
      {pages.error === null ? null : <Failure error={pages.error} onRetry={pages.retry} />}
      {pages.isPending && pages.error === null ? <Loading what="packets" /> : null}
      {packets.length > 0 ? (
        <PacketTable
          mission={mission}
          packets={packets}
          selected={selected}
          newestFirst={false}
          onEnd={pages.readMore}
        />
      ) : pages.isPending || pages.isLoading || pages.error !== null ? null : (
        <p className="empty">No such packet was received in {span}.</p>
      )}
    </div>
  );
}
