// Decides whether a value may still be shown as current.
import { parseTime } from "../format/time";
import type { Frame } from "../live/client";
import type { Sample } from "../types";

const INTERVALS = 3;
const SHORTEST_MS = 3_000;
const UNKNOWN_INTERVAL_MS = 30_000;
/** How far a spacecraft's clock may run ahead of a station's and still be believed. */
const AHEAD_MAX_MS = 60_000;

export interface Freshness {
  generatedAt: number;
  age: number;
  stale: boolean;
}

/** How old a value may be, by its usual interval, milliseconds. */
export function staleAfter(interval: number | null | undefined): number {
  if (interval === null || interval === undefined) return UNKNOWN_INTERVAL_MS;
  return Math.max(SHORTEST_MS, INTERVALS * interval);
}

/** The time by which a sample takes its place among others, Unix milliseconds; the same rule as the server's. */
export function placeOf(sample: Pick<Sample, "generation_time" | "reception_time">): number {
  const [generated, received] = [parseTime(sample.generation_time), parseTime(sample.reception_time)];
  // No spacecraft makes a sample long after it was received: its clock is wrong, and by that time nothing would ever
  // be newer or make it old.
  return generated > received + AHEAD_MAX_MS ? received : generated;
}

/** Age counts from generation. */
export function freshnessAt(sample: Sample, moment: number): Freshness {
  const generatedAt = parseTime(sample.generation_time);
  const stale = moment - placeOf(sample) > staleAfter(sample.interval_ms);
  return { generatedAt, age: moment - generatedAt, stale };
}

/** By the server's clock; nothing is current while the connection is frozen. */
export function freshness(sample: Sample, frame: Pick<Frame, "health" | "serverNow">): Freshness {
  const fresh = freshnessAt(sample, frame.serverNow);
  return { ...fresh, stale: fresh.stale || frame.health.state !== "live" };
}
