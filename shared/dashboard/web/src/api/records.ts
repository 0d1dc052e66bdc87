// What the archive holds as it came: packets, and what nodes, people and the hub had to say.
import { queryOptions } from "@tanstack/react-query";
import type { PageOf } from "../table/usePages";
import type {
  HubEvent,
  HubEvents,
  NewEvent,
  NodeEvent,
  NodeEvents,
  Packet,
  PacketSummary,
  Packets,
} from "../types";
import { missionPath, request } from "./client";

/** The most the server puts on one page. */
const PAGE_ROWS = 1_000;
/** What fills a screen is there at once. */
const FIRST_EVENTS = 200;

export interface SpanQuestion {
  /** Unix milliseconds, included. */
  from: number;
  /** Excluded; `null`: no end. */
  to: number | null;
  cursor: string | null;
}

export interface PacketFilter {
  apid?: number;
  node?: string;
  link?: string;
  quarantined?: boolean;
}

export async function readPackets(
  mission: string,
  filter: PacketFilter,
  span: SpanQuestion,
): Promise<PageOf<PacketSummary>> {
  const search = spanSearch(span);
  for (const [name, value] of Object.entries(filter))
    if (value !== undefined && value !== false) search.set(name, String(value));
  const { packets, next } = await request<Packets>("GET", missionPath(mission, `packets?${search}`));
  return { rows: packets, next: next ?? null };
}

export function packetQuery(mission: string, id: string) {
  return queryOptions({
    queryKey: ["packet", mission, id],
    queryFn: () => request<Packet>("GET", missionPath(mission, `packets/${encodeURIComponent(id)}`)),
    // What a packet is never changes.
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Newest first; `mission` is `null` for the hub's own. */
export async function readEvents(
  mission: string | null,
  span: SpanQuestion,
): Promise<PageOf<HubEvent | NodeEvent>> {
  const search = spanSearch(span, span.cursor === null ? FIRST_EVENTS : PAGE_ROWS);
  // The hub's own come so in any case.
  if (mission !== null) search.set("order", "desc");
  const path = mission === null ? `/api/v1/events?${search}` : missionPath(mission, `events?${search}`);
  const { events, next } = await request<HubEvents | NodeEvents>("GET", path);
  return { rows: events, next: next ?? null };
}

/** The same `id` sent again is the same event. */
export function postEvent(mission: string, event: NewEvent): Promise<NodeEvent> {
  return request("POST", missionPath(mission, "events"), event);
}

function spanSearch({ from, to, cursor }: SpanQuestion, limit = PAGE_ROWS): URLSearchParams {
  const search = new URLSearchParams({ from: new Date(from).toISOString(), limit: String(limit) });
  if (to !== null) search.set("to", new Date(to).toISOString());
  if (cursor !== null) search.set("cursor", cursor);
  return search;
}
