// How components look at the live connection.
import { createContext, use, useEffect, useSyncExternalStore } from "react";
import type { Node } from "../types";
import type { Frame, LiveClient } from "./client";
import type { LiveLog } from "./feed";
import type { Shared } from "./wishes";

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

/** What nodes say of a mission, or the server of itself (`null`), oldest first; `null` before the first. */
export function useLiveEvents(mission: string | null): LiveLog | null {
  const subject: Shared = mission === null ? { kind: "events" } : { kind: "events", mission };
  useShared(subject);
  return useLive().feed.eventsOf(subject);
}

/** All nodes as the last heartbeat said; `null` before the first. */
export function useNodes(): Node[] | null {
  const live = useLive();
  useFrame();
  return live.feed.nodes;
}

function useShared(subject: Shared): void {
  const live = useLive();
  const key = JSON.stringify(subject);
  useFrame();
  useEffect(() => live.want(JSON.parse(key)), [live, key]);
}
