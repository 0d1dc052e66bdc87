// The packets of the time that is shown: followed from the last minute on, or read by pages from a range's beginning.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type PacketFilter, readPackets } from "../../api/records";
import { parseTime } from "../../format/time";
import { type PageOf, type Pages, usePages } from "../../table/usePages";
import { type TimeMode, writeMode } from "../../time/mode";
import { useTimeMode, useTimeNow } from "../../time/useTime";
import type { PacketSummary } from "../../types";

export const KEPT_MAX = 5_000;
export const RANGE_MAX = 50_000;
const FOLLOW_EVERY_MS = 2_000;
const FOLLOW_FROM_MS = 60_000;
/** A station's batch may be committed after a later one of another station. */
const OVERLAP_MS = 5_000;
/** Five thousand packets in two seconds; what is faster is not read by a person either. */
const PAGES_MAX = 5;

export interface FollowedPackets {
  /** Newest first. */
  packets: readonly PacketSummary[];
  since: number | null;
  /** More came than were read. */
  isCut: boolean;
  error: unknown;
  retry: () => void;
}

interface Kept {
  packets: readonly PacketSummary[];
  since: number;
  isCut: boolean;
}

// The live stream's packets have no ids by which they could be taken apart: the newest are asked for instead.
export function useFollowedPackets(mission: string, filter: PacketFilter): FollowedPackets {
  const { mode } = useTimeMode();
  const timeNow = useTimeNow();
  const client = useQueryClient();
  const queryKey = ["packets-followed", mission, filter];
  const query = useQuery({
    queryKey,
    queryFn: async (): Promise<Kept> => {
      const known = client.getQueryData<Kept>(queryKey);
      const newest = known?.packets[0];
      const since = timeNow().now - FOLLOW_FROM_MS;
      const from = newest === undefined ? since : parseTime(newest.reception_time) - OVERLAP_MS;
      const { rows, isCut } = await upTo(PAGES_MAX, (cursor) =>
        readPackets(mission, filter, { from, to: null, cursor }),
      );
      return {
        packets: joined(known?.packets ?? [], rows),
        since: known?.since ?? since,
        isCut: isCut || (known?.isCut ?? false),
      };
    },
    enabled: mode.kind === "live",
    refetchInterval: FOLLOW_EVERY_MS,
    staleTime: 0,
    gcTime: 0,
    structuralSharing: false,
  });
  return {
    packets: query.data?.packets ?? [],
    since: query.data?.since ?? null,
    isCut: query.data?.isCut ?? false,
    error: query.isError ? query.error : null,
    retry: () => void query.refetch(),
  };
}

async function upTo<Row>(pages: number, load: (cursor: string | null) => Promise<PageOf<Row>>) {
  const rows: Row[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < pages; page += 1) {
    const answer: PageOf<Row> = await load(cursor);
    rows.push(...answer.rows);
    cursor = answer.next;
    if (cursor === null) break;
  }
  return { rows, isCut: cursor !== null };
}

/** Newest first, each packet once. */
function joined(known: readonly PacketSummary[], fresh: readonly PacketSummary[]): readonly PacketSummary[] {
  const ids = new Set(known.map((packet) => packet.id));
  const news = fresh.filter((packet) => !ids.has(packet.id));
  if (news.length === 0) return known;
  return [...known, ...news]
    .sort((a, b) => parseTime(b.reception_time) - parseTime(a.reception_time))
    .slice(0, KEPT_MAX);
}

/** Earliest first. A replay reads ahead only to where it stands. */
export function usePacketRange(
  mission: string,
  filter: PacketFilter,
  mode: TimeMode,
  now: number,
): Pages<PacketSummary> {
  const range = mode.kind === "live" ? null : mode;
  return usePages<PacketSummary>({
    queryKey: ["packets", mission, filter, range === null ? "live" : writeMode({ ...range, kind: "fixed" })],
    load: (cursor) => readPackets(mission, filter, { from: range?.from ?? 0, to: range?.to ?? null, cursor }),
    rowsMax: RANGE_MAX,
    goOn: (rows) => {
      const last = rows.at(-1);
      return last === undefined || (range?.kind === "replay" && parseTime(last.reception_time) <= now);
    },
    enabled: range !== null,
  });
}
