// How components look at the live connection.
import { createContext, use, useEffect, useSyncExternalStore } from "react";
import type { Node } from "../types";
import type { Frame, LiveClient } from "./client";
import type { LiveLog } from "./feed";
import type { Refusal, Shared } from "./wishes";

export const LiveContext = createContext<LiveClient | null>(null);

export function useLive(): LiveClient {
  const live = use(LiveContext);
  if (live === null) throw new Error("useLive needs a LiveContext above it");
  return live;
}

/** The present repaint; the component renders again at the next one. */
export function useFrame(): Frame {
  const live = useLive();
  return useSyncExternalStore(live.onFrame, live.frame, live.frame);
}

/** Keeps the values of these parameters current while the component is shown. */
export function useLiveValues(mission: string, parameters: readonly string[]): void {
  const live = useLive();
  const key = JSON.stringify(parameters);
  useEffect(() => live.wantValues(mission, JSON.parse(key)), [live, mission, key]);
}

/** Like `useLiveValues`, and recent samples are kept for curves. */
export function useTraces(mission: string, parameters: readonly string[]): void {
  const live = useLive();
  const key = JSON.stringify(parameters);
  useEffect(() => live.wantTraces(mission, JSON.parse(key)), [live, mission, key]);
}

interface LiveEvents {
  /** Oldest first; `null` before the first. */
  log: LiveLog | null;
  refusal: Refusal | null;
}

/** What nodes say of a mission, or the server of itself (`null`). */
export function useLiveEvents(mission: string | null): LiveEvents {
  const live = useLive();
  useFrame();
  useEffect(() => live.want(eventsOf(mission)), [live, mission]);
  const subject = eventsOf(mission);
  return { log: live.feed.eventsOf(subject), refusal: live.feed.wishes.refusalOf(subject) };
}

function eventsOf(mission: string | null): Shared {
  return mission === null ? { kind: "events" } : { kind: "events", mission };
}

/** The missions whose values or curves the server refuses to stream to this page. */
export function useRefusedStreams() {
  const live = useLive();
  useFrame();
  return live.feed.wishes.refused();
}

/** All nodes as the last heartbeat said; `null` before the first. */
export function useNodes(): Node[] | null {
  const live = useLive();
  useFrame();
  return live.feed.nodes;
}
