// Closed alarms of several missions as one list, newest first: each mission has its own pages.
import type { ClosedCursors, ClosedPart } from "../../api/alarms";
import { firstOf } from "./alarm";
import type { MissionAlarm } from "./filters";

/** How far a mission is read. */
interface Reached {
  /** First occurrence of its oldest alarm so far: of what is older nothing is known. */
  until: number;
  cursor: string;
}

/** Missions that have more, with how far they are read. */
function reached(parts: readonly ClosedPart[]): Map<string, Reached> {
  const known = new Map<string, Reached>();
  for (const part of parts)
    for (const [mission, { alarms, next }] of Object.entries(part)) {
      const oldest = alarms.at(-1);
      // A page may be empty and still have a next one.
      const until =
        oldest === undefined ? (known.get(mission)?.until ?? Number.POSITIVE_INFINITY) : firstOf(oldest);
      if (next) known.set(mission, { until, cursor: next });
      else known.delete(mission);
    }
  return known;
}

/** Where to read on: in the missions that are read the least far. `null` at the end. */
export function nextOf(parts: readonly ClosedPart[]): ClosedCursors | null {
  const open = [...reached(parts)];
  const least = Math.max(...open.map(([, { until }]) => until));
  const behind = open.filter(([, { until }]) => until === least);
  return behind.length === 0
    ? null
    : Object.fromEntries(behind.map(([mission, { cursor }]) => [mission, cursor]));
}

/** What is known without a hole: older alarms of one mission wait until the others are read as far. */
export function merged(parts: readonly ClosedPart[]): MissionAlarm[] {
  const least = Math.max(Number.NEGATIVE_INFINITY, ...[...reached(parts).values()].map(({ until }) => until));
  const rows = parts.flatMap((part) =>
    Object.entries(part).flatMap(([mission, { alarms }]) => alarms.map((alarm) => ({ mission, alarm }))),
  );
  return rows
    .filter(({ alarm }) => firstOf(alarm) >= least)
    .toSorted((a, b) => firstOf(b.alarm) - firstOf(a.alarm));
}
