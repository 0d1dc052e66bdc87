// What passes mean for who watches them. Pure.
import { parseTime } from "../../format/time";
import type { TimeMode, TimeWindow } from "../../time/mode";
import type { Pass } from "../../types";

const STEP_MS = 10 * 60_000;
const BEFORE_MS = 12 * 3_600_000;
const AHEAD_MS = 24 * 3_600_000;
/** A station hears what stands still above it for longer than is looked: the bar then goes to the edge. */
const UNBOUNDED = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

export interface PassSpan {
  from: number;
  to: number;
}

/** Which span is asked for: half a day back and one ahead while it is live, else what is shown. */
export function askedSpan(mode: TimeMode, now: number): TimeWindow {
  if (mode.kind !== "live") return { from: mode.from, to: mode.to };
  const middle = Math.floor(now / STEP_MS) * STEP_MS;
  return { from: middle - BEFORE_MS, to: middle + AHEAD_MS };
}

export function spanOf(pass: Pass): PassSpan {
  return {
    from: pass.aos ? parseTime(pass.aos.at) : UNBOUNDED.from,
    to: pass.los ? parseTime(pass.los.at) : UNBOUNDED.to,
  };
}

export type Phase = "past" | "to-come" | "under-way";

/** By the moment that is shown, which in a replay is not the server's. */
export function phaseAt(pass: Pass, now: number): Phase {
  const { from, to } = spanOf(pass);
  if (now < from) return "to-come";
  return now >= to ? "past" : "under-way";
}

/** The pass that is under way, else the next one. */
export function nextPass(passes: readonly Pass[], now: number): Pass | null {
  const open = passes.filter((pass) => phaseAt(pass, now) !== "past");
  return open.toSorted((a, b) => spanOf(a).from - spanOf(b).from)[0] ?? null;
}

/** `AOS in 12 min`, `LOS in 3.0 s`; `null` when it is over. */
export function countdown(pass: Pass, now: number, duration: (ms: number) => string): string | null {
  const { from, to } = spanOf(pass);
  if (now < from) return `AOS in ${duration(from - now)}`;
  if (now >= to) return null;
  return Number.isFinite(to) ? `LOS in ${duration(to - now)}` : "in view without an end";
}

export interface Lane {
  name: string;
  passes: Pass[];
}

export type LaneBy = "spacecraft" | "station";

export function lanes(passes: readonly Pass[], by: LaneBy): Lane[] {
  const found = new Map<string, Pass[]>();
  for (const pass of passes) {
    const name = by === "station" ? `${pass.site} · ${pass.station}` : pass.spacecraft;
    found.set(name, [...(found.get(name) ?? []), pass]);
  }
  return [...found]
    .map(([name, of]) => ({ name, passes: of }))
    .toSorted((a, b) => a.name.localeCompare(b.name));
}

/** Where a pass lies in a window, in percent of it. */
export function placeIn(pass: Pass, window: TimeWindow): { left: number; width: number } {
  const { from, to } = spanOf(pass);
  const length = window.to - window.from;
  const left = Math.max(0, (from - window.from) / length);
  const right = Math.min(1, (to - window.from) / length);
  return { left: left * 100, width: Math.max(0, right - left) * 100 };
}

/** Passes of one station at the same time: it can follow one spacecraft. */
export function conflicts(passes: readonly Pass[]): Set<string> {
  const found = new Set<string>();
  const sorted = passes.toSorted((a, b) => spanOf(a).from - spanOf(b).from);
  for (const [index, pass] of sorted.entries())
    for (const other of sorted.slice(index + 1)) {
      if (spanOf(other).from >= spanOf(pass).to) break;
      if (other.station !== pass.station || other.spacecraft === pass.spacecraft) continue;
      found.add(pass.id).add(other.id);
    }
  return found;
}

export interface SkyPoint {
  x: number;
  y: number;
}

/** Azimuth and elevation on a disc of radius 1: north is up, east right, the zenith in the middle. */
export function onSky(azimuthDeg: number, elevationDeg: number): SkyPoint {
  const radius = (90 - Math.max(0, Math.min(90, elevationDeg))) / 90;
  const angle = (azimuthDeg * Math.PI) / 180;
  return { x: radius * Math.sin(angle), y: -radius * Math.cos(angle) };
}
