import { expect, test } from "vitest";
import { correlate, strength } from "./correlation";
import { rowsOf } from "./table";

const pairs = (...given: [number, number][]) => given.map(([x, y]) => ({ x, y }));

test("values on a line have a coefficient of one, and its slope and intercept", () => {
  const found = correlate(pairs([1, 5], [2, 7], [3, 9], [4, 11]));
  expect(found.coefficient).toBeCloseTo(1, 12);
  expect(found.slope).toBeCloseTo(2, 12);
  expect(found.intercept).toBeCloseTo(3, 12);
  expect(correlate(pairs([1, 9], [2, 7], [3, 5])).coefficient).toBeCloseTo(-1, 12);
});

test("a known set has its known coefficient", () => {
  // Anscombe's first quartet.
  const x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
  const y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
  const found = correlate(x.map((value, index) => ({ x: value, y: y[index] ?? 0 })));
  expect(found.coefficient).toBeCloseTo(0.81642, 5);
  expect(found.slope).toBeCloseTo(0.50009, 5);
  expect(found.intercept).toBeCloseTo(3.00009, 5);
});

test("what does not change, or is too little, has no coefficient", () => {
  expect(correlate([]).coefficient).toBeNull();
  expect(correlate(pairs([1, 1], [2, 2])).coefficient).toBeNull();
  expect(correlate(pairs([1, 1], [1, 2], [1, 3]))).toMatchObject({ coefficient: null, slope: null });
  expect(correlate(pairs([1, 4], [2, 4], [3, 4]))).toMatchObject({ coefficient: null, slope: 0 });
  expect(strength(null)).toContain("did not change");
});

test("huge values neither overflow into nonsense nor throw", () => {
  const { coefficient } = correlate(pairs([1e300, 1], [-1e300, 2], [0, 3]));
  expect(coefficient === null || Math.abs(coefficient) <= 1).toBe(true);
  expect(correlate(pairs([1e29, 1e29], [2e29, 2e29], [3e29, 3e29])).coefficient).toBeCloseTo(1, 9);
});

test.each([
  [0.05, "no linear relation"],
  [-0.3, "weak, one falls as the other rises"],
  [0.7, "moderate, rising together"],
  [0.95, "strong, rising together"],
])("%f is %s", (coefficient, words) => {
  expect(strength(coefficient)).toBe(words);
});

test("series become rows of their moments, newest first, each point in exactly one row", () => {
  const line = (times: number[]) => ({
    series: { times, min: [], max: [], last: [], newest: null, bucketMs: 0 },
  });
  expect(rowsOf([line([1, 2, 5]), line([2, 3]), line([])])).toEqual([
    { time: 5, points: [2, -1, -1] },
    { time: 3, points: [-1, 1, -1] },
    { time: 2, points: [1, 0, -1] },
    { time: 1, points: [0, -1, -1] },
  ]);
  expect(rowsOf([])).toEqual([]);
});
