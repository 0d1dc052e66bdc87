// How components look at the live connection.
import { createContext, use, useEffect, useSyncExternalStore } from "react";
import type { Frame, LiveClient } from "./client";

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

/** Keeps the connection subscribed to these parameters while the page is shown. */
export function useSubscription(mission: string, parameters: readonly string[]): void {
  const live = useLive();
  const key = JSON.stringify(parameters);
  useEffect(() => {
    live.subscribe({ kind: "subscribe", mission, parameters: JSON.parse(key) });
  }, [live, mission, key]);
}

/** Like `useSubscription` for one parameter, whose recent samples are kept for its plot. */
export function useTrace(mission: string, parameter: string): void {
  const live = useLive();
  useEffect(() => live.follow(mission, parameter), [live, mission, parameter]);
}
