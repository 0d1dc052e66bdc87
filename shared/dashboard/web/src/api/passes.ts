// Questions about orbits and passes.
import { queryOptions } from "@tanstack/react-query";
import type { GroundTracks, OrbitElements, Passes, PassTrack } from "../types";
import { missionPath, request } from "./client";

/** The longest span the server tells passes of. */
export const PASSES_SPAN_MS_MAX = 31 * 24 * 3_600_000;
const PAGE = 1_000;

/** Passes of which some lies in a span, Unix milliseconds. */
export function passesQuery(mission: string, from: number, to: number) {
  return queryOptions({
    queryKey: ["passes", mission, from, to],
    queryFn: () => {
      const search = new URLSearchParams({ from: iso(from), to: iso(to), limit: String(PAGE) });
      return request<Passes>("GET", `${missionPath(mission, "passes")}?${search}`);
    },
    staleTime: 0,
    refetchInterval: 30_000,
  });
}

export function passTrackQuery(mission: string, pass: string) {
  return queryOptions({
    queryKey: ["pass", mission, pass],
    queryFn: () =>
      request<PassTrack>("GET", missionPath(mission, `passes/${encodeURIComponent(pass)}/track`)),
    refetchInterval: 30_000,
  });
}

export function elementsQuery(mission: string) {
  return queryOptions({
    queryKey: ["elements", mission],
    queryFn: () => request<OrbitElements>("GET", missionPath(mission, "elements")),
  });
}

export function importElements(mission: string, text: string): Promise<OrbitElements> {
  return request("PUT", missionPath(mission, "elements"), { text });
}

/** Where the mission's spacecraft are between two moments, Unix milliseconds. */
export function groundTracksQuery(mission: string, from: number, to: number, stepS: number) {
  return queryOptions({
    queryKey: ["track", mission, from, to, stepS],
    queryFn: () => {
      const search = new URLSearchParams({ from: iso(from), to: iso(to), step_s: String(stepS) });
      return request<GroundTracks>("GET", `${missionPath(mission, "track")}?${search}`);
    },
    staleTime: 60_000,
  });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
