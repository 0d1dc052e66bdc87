// Questions about stations: where they are, what is over them, and all that is known of one.
import { queryOptions } from "@tanstack/react-query";
import type { components } from "../contract";
import type { GroundTracks, Passes } from "../types";
import { missionPath, request } from "./client";
import { groundTracksQuery } from "./passes";

type Schemas = components["schemas"];
export type Places = Schemas["Places"];
export type Site = Schemas["Site"];
export type SitePlace = Schemas["SitePlace"];

const API = "/api/v1";

export const placesQuery = queryOptions({
  queryKey: ["places"],
  queryFn: () => request<Places>("GET", `${API}/places`),
  staleTime: 60_000,
});

export function setPlace(site: string, place: SitePlace): Promise<Site> {
  return request("PUT", `${API}/places/${encodeURIComponent(site)}`, place);
}

const MINUTE = 60_000;
const HOUR_MS = 60 * MINUTE;
/** About an orbit near the Earth, half of it behind and half ahead. */
const AROUND_MS = 50 * MINUTE;
/** The track is asked for again after so long, so that half an orbit stays ahead. */
const STEP_MS = 10 * MINUTE;

/** Ground tracks around a moment; the last ones stay until the next ones are there. */
export function tracksAroundQuery(mission: string, now: number) {
  const middle = Math.floor(now / STEP_MS) * STEP_MS;
  return queryOptions({
    ...groundTracksQuery(mission, middle - AROUND_MS, middle + STEP_MS + AROUND_MS, 60),
    placeholderData: (previous: GroundTracks | undefined, query?: { queryKey: readonly unknown[] }) =>
      query?.queryKey[1] === mission ? previous : undefined,
    staleTime: STEP_MS,
    gcTime: STEP_MS,
  });
}

export type NodeDetail = Schemas["NodeDetail"];
export type NodeDocumentStanding = Schemas["NodeDocumentStanding"];
export type NodeLog = Schemas["NodeLog"];
export type HubEvent = Schemas["HubEvent"];

/** All that is known of a node beyond what the heartbeat brings. */
export function nodeQuery(node: string) {
  return queryOptions({
    queryKey: ["node", node],
    queryFn: () => request<NodeDetail>("GET", nodePath(node)),
    staleTime: 0,
    refetchInterval: 10_000,
  });
}

export function revokeNode(node: string, reason: string): Promise<NodeDetail> {
  return request("POST", `${nodePath(node)}/revoke`, { reason });
}

/** `null`: all missions, also those to come. */
export function setNodeMissions(node: string, missions: string[] | null): Promise<NodeDetail> {
  return request("PUT", `${nodePath(node)}/missions`, { missions });
}

function nodePath(node: string): string {
  return `${API}/nodes/${encodeURIComponent(node)}`;
}

/** Passes over one station around a moment: those of the last 12 hours and of the next 24. */
export function stationPassesQuery(mission: string, station: string, now: number) {
  const hour = Math.floor(now / HOUR_MS) * HOUR_MS;
  return queryOptions({
    queryKey: ["passes", mission, station, hour],
    queryFn: () => {
      const search = new URLSearchParams({
        from: new Date(hour - 12 * HOUR_MS).toISOString(),
        to: new Date(hour + 24 * HOUR_MS).toISOString(),
        station,
      });
      return request<Passes>("GET", `${missionPath(mission, "passes")}?${search}`);
    },
    staleTime: MINUTE,
    refetchInterval: MINUTE,
  });
}
