// Decides whether a value may still be shown as current.
import { parseTime } from "../format/time";
import type { Frame } from "../live/client";
import type { Sample } from "../types";

const INTERVALS = 3;
const SHORTEST_MS = 3_000;
const UNKNOWN_INTERVAL_MS = 30_000;

export interface Freshness {
  generatedAt: number;
  age: number;
  stale: boolean;
}

export function staleAfter(interval: number | null | undefined): number {
  if (interval === null || interval === undefined) return UNKNOWN_INTERVAL_MS;
  return Math.max(SHORTEST_MS, INTERVALS * interval);
}

/** Age counts from generation, by the server's clock; nothing is current while the connection is frozen. */
export function freshness(sample: Sample, frame: Pick<Frame, "health" | "serverNow">): Freshness {
  const generatedAt = parseTime(sample.generation_time);
  const age = frame.serverNow - generatedAt;
  return { generatedAt, age, stale: frame.health.state !== "live" || age > staleAfter(sample.interval_ms) };
}
