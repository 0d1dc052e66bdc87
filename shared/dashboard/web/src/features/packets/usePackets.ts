// The packets of the time that is shown: followed from the last minute on, or read by pages from a range's beginning.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type PacketFilter, readPackets } from "../../api/records";
import { parseTime } from "../../format/time";
import { type Pages, usePages } from "../../table/usePages";
import { type TimeMode, writeMode } from "../../time/mode";
import { useTimeMode, useTimeNow } from "../../time/useTime";
import type { PacketSummary } from "../../types";
import { type Kept, readOn } from "./follow";

export const RANGE_MAX = 50_000;
const FOLLOW_EVERY_MS = 2_000;

export interface FollowedPackets {
  /** Newest first. */
  packets: readonly PacketSummary[];
  since: number | null;
  /** More came than were read. */
  hasSkipped: boolean;
  error: unknown;
  retry: () => void;
}

// The live stream's packets have no ids by which they could be taken apart: the newest are asked for instead.
export function useFollowedPackets(mission: string, filter: PacketFilter): FollowedPackets {
  const { mode } = useTimeMode();
  const timeNow = useTimeNow();
  const client = useQueryClient();
  const queryKey = ["packets-followed", mission, filter];
  const query = useQuery({
    queryKey,
    queryFn: () =>
      readOn(client.getQueryData<Kept>(queryKey), timeNow().now, (from, cursor) =>
        readPackets(mission, filter, { from, to: null, cursor }),
      ),
    enabled: mode.kind === "live",
    refetchInterval: FOLLOW_EVERY_MS,
    staleTime: 0,
    gcTime: 0,
    structuralSharing: false,
  });
  return {
    packets: query.data?.packets ?? [],
    since: query.data?.since ?? null,
    hasSkipped: query.data?.hasSkipped ?? false,
    error: query.isError ? query.error : null,
    retry: () => void query.refetch(),
  };
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
