import { describe, expect, test } from "vitest";
import type { Buckets, Sample } from "../types";
import { gapLimit, join, type Point, pointOf, strokesOf, within } from "./series";

function history(
  bucket_ms: number,
  columns: [time: number, min: number | null, max: number | null][],
): Buckets {
  return {
    parameter: "/a/b",
    count: columns.length,
    bucket_ms,
    times: columns.map(([time]) => time),
    min: columns.map(([, min]) => min),
    max: columns.map(([, , max]) => max),
    first: columns.map(([, min]) => min),
    last: columns.map(([, , max]) => max),
  };
}

const raw = history(0, [
  [1000, 1, 1],
  [2000, 2, 2],
  [3000, 3, 3],
]);
const point = (time: number, value: number | null = time / 1000): Point => ({ time, value });

describe("the seam between history and live samples", () => {
  test("live samples continue the history", () => {
    const series = join(raw, [point(4000), point(5000)]);
    expect(series.times).toEqual([1000, 2000, 3000, 4000, 5000]);
    expect(series.last).toEqual([1, 2, 3, 4, 5]);
    expect(series.newest).toBe(5000);
  });

  test("what two stations heard at once is one point", () => {
    const twice = history(0, [
      [1000, 1, 1],
      [1000, null, null],
      [2000, 2, 2],
      [2000, 2, 2],
    ]);
    const series = join(twice, [point(2000), point(3000), point(3000)]);
    expect(series.times).toEqual([1000, 2000, 3000]);
    expect(series.last).toEqual([1, 2, 3]);
    expect(series.min).toEqual([1, 2, 3]);
  });

  test("a sample that the history already has is not doubled", () => {
    expect(join(raw, [point(2000), point(3000), point(4000)]).times).toEqual([1000, 2000, 3000, 4000]);
  });

  test("nor is it when the server cut its time to the millisecond", () => {
    expect(join(raw, [point(2000.4), point(2999.6, 3), point(3000.4, 3)]).times).toEqual([1000, 2000, 3000]);
  });

  test("a late sample stands in its place in time", () => {
    const series = join(raw, [point(5000), point(2500, 2.5), point(4000)]);
    expect(series.times).toEqual([1000, 2000, 2500, 3000, 4000, 5000]);
    expect(series.last).toEqual([1, 2, 2.5, 3, 4, 5]);
    expect(series.newest).toBe(5000);
  });

  test("live samples alone make a line while history is on its way", () => {
    expect(join(null, [point(2000), point(1000)]).times).toEqual([1000, 2000]);
  });
});

describe("the seam in buckets", () => {
  const buckets = history(1000, [
    [1000, 1, 2],
    [2000, 2, 3],
  ]);

  test("a sample inside a bucket widens it and adds no point", () => {
    const series = join(buckets, [point(1500, 9), point(2500, -4)]);
    expect(series.times).toEqual([1000, 2000]);
    expect(series.max).toEqual([9, 3]);
    expect(series.min).toEqual([1, -4]);
  });

  test("only in the newest bucket does a live sample become the last value", () => {
    expect(join(buckets, [point(1500, 9), point(2500, -4)]).last).toEqual([2, -4]);
  });

  test("samples after the history make buckets of the same width", () => {
    const series = join(
      buckets,
      [3100, 3200, 4050, 4150].map((time) => point(time)),
    );
    expect(series.times).toEqual([1000, 2000, 3100, 4150]);
    expect(series.last.slice(2)).toEqual([4.05, 4.15]);
    expect(series.newest).toBe(4150);
  });

  test("the newest sample's time is known even inside a bucket", () => {
    expect(join(buckets, [point(2900)]).newest).toBe(2900);
  });

  test("a value that cannot be drawn leaves the extremes alone", () => {
    expect(join(buckets, [point(2500, null)])).toMatchObject({ min: [1, 2], max: [2, 3], last: [2, 3] });
  });

  test("joining in any order gives the same columns", () => {
    const live = [1200, 2300, 3400, 2900, 3100, 5000].map((time) => point(time));
    expect(join(buckets, live.toReversed())).toEqual(join(buckets, live));
    expect(join(buckets, [...live, ...live])).toEqual(join(buckets, live));
  });
});

describe("gaps", () => {
  test("a distance beyond five intervals is not bridged", () => {
    const series = join(raw, [point(8001)]);
    expect(strokesOf(series, gapLimit(series, 1000))).toEqual([
      [0, 3],
      [3, 4],
    ]);
  });

  test("five intervals exactly are bridged", () => {
    const series = join(raw, [point(8000)]);
    expect(strokesOf(series, gapLimit(series, 1000))).toEqual([[0, 4]]);
  });

  test("wide buckets raise the limit, and an unknown interval is taken from the points", () => {
    expect(gapLimit(join(history(60_000, []), []), 1000)).toBe(300_000);
    expect(gapLimit(join(raw, []), null)).toBe(5000);
    expect(gapLimit(join(null, [point(1000)]), null)).toBe(Number.POSITIVE_INFINITY);
  });

  test("a gap closes once the missing history has been fetched", () => {
    const before = join(history(0, [[1000, 1, 1]]), [point(9000)]);
    expect(strokesOf(before, 5000)).toHaveLength(2);
    const fetched = history(
      0,
      Array.from({ length: 9 }, (_, i) => [(i + 1) * 1000, i + 1, i + 1]),
    );
    const after = join(fetched, [point(9000)]);
    expect(strokesOf(after, 5000)).toHaveLength(1);
    expect(after.times).toHaveLength(9);
  });
});

test("a value that cannot be drawn breaks the line", () => {
  expect(strokesOf(join(null, [point(1000), point(2000, null), point(3000), point(4000)]), 5000)).toEqual([
    [0, 1],
    [2, 4],
  ]);
});

test("a window keeps one point to its left, so that the line enters the chart", () => {
  expect(within(join(raw, [point(4000)]), 2500, 3500).times).toEqual([2000, 3000]);
});

describe("the number that is drawn", () => {
  const sample = (raw: Sample["raw"], engineering: Sample["engineering"]): Sample => ({
    parameter: "/a/b",
    generation_time: "2026-11-22T12:00:00.000250Z",
    reception_time: "2026-11-22T12:00:00Z",
    raw,
    engineering,
    node: "n",
    provenance: "live",
    validity: "valid",
    monitoring: "not-monitored",
    dictionary_version: 1,
  });

  test.each([
    ["float", 5, 27.4, 27.4],
    ["enumeration", 2, "SAFE", 2],
    ["boolean", 1, true, 1],
    ["boolean", 0, false, 0],
    ["float", 5, "NaN", null],
    ["integer", "9007199254740993", "9007199254740993", 9007199254740992],
    ["integer", 5, null, null],
  ] as const)("a %s of raw %s and engineering %s is drawn at %s", (kind, rawValue, engineering, expected) => {
    expect(pointOf(sample(rawValue, engineering), kind).value).toBe(expected);
  });

  test("its time keeps what lies below the millisecond", () => {
    expect(pointOf(sample(1, 1), "float").time).toBeCloseTo(Date.parse("2026-11-22T12:00:00Z") + 0.25, 3);
  });
});
