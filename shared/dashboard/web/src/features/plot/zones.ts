// Where values are out of limits, as stretches of the axis. They are drawn; what a sample itself says of its
// monitoring is the truth, for limits may have been others when it was judged.
import type { Status } from "../../shell/StatusSymbol";
import type { AlarmSeverity, LimitRange } from "../../types";
import { statusOf } from "../alarms/alarm";

/** `from` and `to` may be infinite. */
export interface Zone {
  from: number;
  to: number;
  severity: AlarmSeverity;
}

export interface LimitSet {
  /** In order of the axis, none overlapping another. */
  zones: readonly Zone[];
  /** Raw values of an enumeration that are violations. */
  states: ReadonlyMap<number, AlarmSeverity>;
  /** Whether under some condition others count in place of these. */
  isPartial: boolean;
}

const SEVERITIES: readonly AlarmSeverity[] = ["watch", "warning", "distress", "critical", "severe"];

/** Of a range only this is drawn: whether its very ends are still good is the sample's to say. */
export type Ends = Pick<LimitRange, "high" | "low" | "severity"> &
  Partial<Pick<LimitRange, "is_of_bad_values">>;

/** Where several ranges call a value bad, the worst of them counts. */
export function zonesOf(ranges: readonly Ends[]): Zone[] {
  const bad = ranges.flatMap(({ severity, low, high, is_of_bad_values: isBadInside }) => {
    const [from, to] = [low ?? Number.NEGATIVE_INFINITY, high ?? Number.POSITIVE_INFINITY];
    if (isBadInside === true) return [{ from, to, severity }];
    return [
      { from: Number.NEGATIVE_INFINITY, to: from, severity },
      { from: to, to: Number.POSITIVE_INFINITY, severity },
    ].filter((zone) => zone.from < zone.to);
  });
  const edges = [...new Set(bad.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  const zones: Zone[] = [];
  for (const [index, from] of edges.entries()) {
    const to = edges[index + 1];
    if (to === undefined) break;
    const worst = worstOf(
      bad.filter((zone) => zone.from <= from && zone.to >= to).map((zone) => zone.severity),
    );
    const before = zones.at(-1);
    if (worst === null) continue;
    if (before?.to === from && before.severity === worst) before.to = to;
    else zones.push({ from, to, severity: worst });
  }
  return zones;
}

export function worstOf(severities: readonly AlarmSeverity[]): AlarmSeverity | null {
  const worst = severities.reduce((most, severity) => Math.max(most, SEVERITIES.indexOf(severity)), -1);
  return SEVERITIES[worst] ?? null;
}

/** How bad a value is, or `null` when it is within its limits. */
export function severityAt(value: number, limits: LimitSet | null): AlarmSeverity | null {
  if (limits === null) return null;
  const zone = limits.zones.find(({ from, to }) => value > from && value < to);
  return zone?.severity ?? limits.states.get(value) ?? null;
}

export function statusAt(value: number, limits: LimitSet | null): Status | null {
  const severity = severityAt(value, limits);
  return severity === null ? null : statusOf(severity);
}
