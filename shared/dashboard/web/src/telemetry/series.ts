// Joins a parameter's history with its live samples into one line. Pure: the same in, the same out.
import { parseTime } from "../format/time";
import type { Buckets, ParameterKind, Sample } from "../types";

/** Servers may cut times to the millisecond; samples closer than this are drawn in one place. */
const SAME_PLACE_MS = 1;
const GAP_FACTOR = 5;

export interface Point {
  time: number;
  value: number | null;
}

/** Parallel columns in order of time. `null` where nothing can be drawn (NaN, text). */
export interface Series {
  times: number[];
  min: (number | null)[];
  max: (number | null)[];
  last: (number | null)[];
  /** Generation time of the newest sample, which may lie inside the last bucket. */
  newest: number | null;
  bucketMs: number;
}

/** A line is joined anew at each repaint; the moment of a sample is read only once. */
const moments = new WeakMap<Sample, number>();

function momentOf(sample: Sample): number {
  const known = moments.get(sample);
  if (known !== undefined) return known;
  const time = parseTime(sample.generation_time);
  moments.set(sample, time);
  return time;
}

/** The number that stands for a sample on the chart; enumerations are drawn by their raw value. */
export function pointOf(sample: Sample, kind: ParameterKind): Point {
  const time = momentOf(sample);
  // As the server: what is no measurement is a gap; a number without a label is still one.
  if (sample.validity !== "valid" && sample.validity !== "unknown-label") return { time, value: null };
  const shown = kind === "enumeration" ? sample.raw : sample.engineering;
  if (typeof shown === "boolean") return { time, value: shown ? 1 : 0 };
  const number = typeof shown === "string" && /^-?\d+$/.test(shown) ? Number(shown) : shown;
  return { time, value: typeof number === "number" && Number.isFinite(number) ? number : null };
}

/**
 * History first, live samples on top, in the order of their generation.
 *
 * A sample that lies in a bucket widens it and adds no point. Joining twice therefore changes nothing, and
 * it does not matter whether the server had already counted the sample when it answered.
 */
export function join(history: Buckets | null, live: readonly Point[]): Series {
  const joined = new Joiner(history?.bucket_ms ?? 0);
  const points = [...live].sort((a, b) => a.time - b.time);
  const times = history?.times ?? [];
  let next = 0;
  for (const [index, time] of times.entries()) {
    for (
      let point = points[next];
      point !== undefined && point.time < time - SAME_PLACE_MS;
      point = points[next]
    ) {
      joined.add(point);
      next += 1;
    }
    joined.place(
      time,
      history?.min[index] ?? null,
      history?.max[index] ?? null,
      history?.last[index] ?? null,
    );
    joined.sealed = index < times.length - 1;
  }
  joined.sealed = false;
  for (const point of points.slice(next)) joined.add(point);
  return joined.series;
}

class Joiner {
  readonly series: Series;
  /** The open bucket ends in history: a live sample in it is not its last one. */
  sealed = false;

  constructor(bucketMs: number) {
    this.series = { times: [], min: [], max: [], last: [], newest: null, bucketMs };
  }

  /** Two stations that hear the spacecraft at once bring the same sample twice: it is one point. */
  place(time: number, min: number | null, max: number | null, last: number | null): void {
    const { series } = this;
    const at = series.times.length - 1;
    if (time !== series.times[at]) {
      this.open(time, min, max, last);
      return;
    }
    series.min[at] = smallest(series.min[at] ?? null, min);
    series.max[at] = largest(series.max[at] ?? null, max);
    series.last[at] = last ?? series.last[at] ?? null;
  }

  private open(time: number, min: number | null, max: number | null, last: number | null): void {
    const { series } = this;
    series.times.push(time);
    series.min.push(min);
    series.max.push(max);
    series.last.push(last);
    series.newest = Math.max(series.newest ?? time, time);
  }

  add({ time, value }: Point): void {
    const { series } = this;
    const at = series.times.length - 1;
    const start = series.times[at];
    if (start === undefined || time - start >= Math.max(series.bucketMs, SAME_PLACE_MS)) {
      this.sealed = false;
      this.open(time, value, value, value);
      return;
    }
    series.newest = Math.max(series.newest ?? time, time);
    if (value === null) return;
    series.min[at] = smallest(series.min[at] ?? null, value);
    series.max[at] = largest(series.max[at] ?? null, value);
    if (!this.sealed) series.last[at] = value;
  }
}

function smallest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

function largest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

/** Longest distance between two points that is still bridged by the line; infinite when nothing is known. */
export function gapLimit(series: Series, intervalMs: number | null): number {
  const interval = intervalMs ?? medianDistance(series.times);
  const limit = GAP_FACTOR * Math.max(series.bucketMs, interval);
  return limit > 0 ? limit : Number.POSITIVE_INFINITY;
}

function medianDistance(times: readonly number[]): number {
  const distances = times.slice(1).map((time, index) => time - (times[index] ?? time));
  distances.sort((a, b) => a - b);
  return distances[Math.floor(distances.length / 2)] ?? 0;
}

/** The part of a series between two times, and one point to the left so that the line enters the chart. */
export function within(series: Series, from: number, to: number): Series {
  const inside = series.times.findIndex((time) => time >= from);
  const start = inside === -1 ? series.times.length : Math.max(0, inside - 1);
  const past = series.times.findIndex((time) => time > to);
  const end = past === -1 ? series.times.length : past;
  const cut = <T>(column: T[]) => column.slice(start, end);
  return {
    ...series,
    times: cut(series.times),
    min: cut(series.min),
    max: cut(series.max),
    last: cut(series.last),
  };
}

/** Ranges of indices, end excluded, that one stroke covers: it ends at a value that cannot be drawn, and at a gap. */
export function strokesOf({ times, last }: Series, gapMs: number): [start: number, end: number][] {
  const strokes: [number, number][] = [];
  let start = -1;
  for (let index = 0; index < times.length; index += 1) {
    const gap = start >= 0 && (times[index] ?? 0) - (times[index - 1] ?? 0) > gapMs;
    const drawn = (last[index] ?? null) !== null;
    if (start >= 0 && (gap || !drawn)) {
      strokes.push([start, index]);
      start = -1;
    }
    if (drawn && start < 0) start = index;
  }
  if (start >= 0) strokes.push([start, times.length]);
  return strokes;
}
