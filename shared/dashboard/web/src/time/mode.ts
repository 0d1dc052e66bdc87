// The one time every panel shows: following the present, a fixed range, or a range that is played again.
// Its text stands in the address as `t`, so that a link shows what its sender saw.
import { parseTime } from "../format/time";

export const SPANS = ["5m", "15m", "1h", "6h", "24h", "7d"] as const;
export type Span = (typeof SPANS)[number];

export const SPAN_MS: Record<Span, number> = {
  "5m": 5 * 60_000,
  "15m": 15 * 60_000,
  "1h": 3_600_000,
  "6h": 6 * 3_600_000,
  "24h": 24 * 3_600_000,
  "7d": 7 * 24 * 3_600_000,
};

export const SPEEDS = [1, 5, 20, 60] as const;
export type Speed = (typeof SPEEDS)[number];

export interface TimeWindow {
  /** Unix milliseconds. */
  from: number;
  to: number;
}

export interface LiveMode {
  kind: "live";
  span: Span;
}

export interface FixedMode extends TimeWindow {
  kind: "fixed";
}

export interface ReplayMode extends TimeWindow {
  kind: "replay";
  speed: Speed;
  /** Where it stands still; `null` while it plays. */
  at: number | null;
}

export type TimeMode = LiveMode | FixedMode | ReplayMode;

export const DEFAULT_MODE: LiveMode = { kind: "live", span: "15m" };

/** Longest range that may be asked for: a year and a day. */
const LONGEST_MS = 367 * 24 * 3_600_000;

/** Reads `-15m`, `FROM~TO`, `FROM~TO~x20` or `FROM~TO~x20~AT`; `null` for anything else. */
export function readMode(text: unknown): TimeMode | null {
  if (typeof text !== "string") return null;
  const span = SPANS.find((name) => text === `-${name}`);
  if (span !== undefined) return { kind: "live", span };
  const [first, second, third, fourth, ...rest] = text.split("~");
  const [from, to] = [parseTime(first ?? ""), parseTime(second ?? "")];
  if (!(to > from) || to - from > LONGEST_MS || rest.length > 0) return null;
  if (third === undefined) return { kind: "fixed", from, to };
  const speed = SPEEDS.find((factor) => third === `x${factor}`);
  if (speed === undefined) return null;
  if (fourth === undefined) return { kind: "replay", from, to, speed, at: null };
  const at = parseTime(fourth);
  return at >= from && at <= to ? { kind: "replay", from, to, speed, at } : null;
}

export function writeMode(mode: TimeMode): string {
  if (mode.kind === "live") return `-${mode.span}`;
  const range = `${moment(mode.from)}~${moment(mode.to)}`;
  if (mode.kind === "fixed") return range;
  return `${range}~x${mode.speed}${mode.at === null ? "" : `~${moment(mode.at)}`}`;
}

function moment(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}

/** The same span of time, earlier or later by a part of its length; a live one becomes fixed. */
export function shifted(window: TimeWindow, by: number): FixedMode {
  const step = Math.round((window.to - window.from) * by);
  return { kind: "fixed", from: Math.round(window.from) + step, to: Math.round(window.to) + step };
}

/** The same middle, longer or shorter. At least a second stays. */
export function zoomed(window: TimeWindow, factor: number): FixedMode {
  const middle = (window.from + window.to) / 2;
  const half = Math.min(LONGEST_MS, Math.max(1_000, (window.to - window.from) * factor)) / 2;
  return { kind: "fixed", from: Math.round(middle - half), to: Math.round(middle + half) };
}
