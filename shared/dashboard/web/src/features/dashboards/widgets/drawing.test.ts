// The pure halves of widgets.
import { expect, test } from "vitest";
import type { PlotLine } from "../../../telemetry/history";
import type { Series } from "../../../telemetry/series";
import type { Aligned } from "../../../types";
import { zonesOf } from "../../plot/zones";
import { arc, gaugeScale, partOf } from "./gauge";
import { runsOf } from "./runs";
import { extent, pairsOf, ticks } from "./scatter";
import { sparkline } from "./sparkline";

function series(values: (number | null)[], stepMs = 1000, bucketMs = 0): Series {
  return {
    times: values.map((_, index) => index * stepMs),
    min: values,
    max: values,
    last: values,
    newest: null,
    bucketMs,
  };
}

test("a state lasts until another, ends at a gap, and the newest stands until it is overdue", () => {
  const made = { ...series([0, 0, 1, 1]), times: [0, 1000, 2000, 60_000] };
  expect(runsOf(made, 5000, 100_000)).toEqual([
    { from: 0, to: 2000, state: 0 },
    { from: 2000, to: 2000, state: 1 },
    { from: 60_000, to: 65_000, state: 1 },
  ]);
  expect(runsOf(series([3]), Number.POSITIVE_INFINITY, 100_000)).toEqual([{ from: 0, to: 0, state: 3 }]);
});

test("several states in one bucket are said to be several", () => {
  const made = { ...series([0, 2], 1000, 1000), min: [0, 0] };
  expect(runsOf(made, 5000, 1500).map((run) => run.state)).toEqual([0, null]);
});

test("a gauge's scale is the configured one, else around the limits, else around the value", () => {
  const limits = {
    zones: zonesOf([{ severity: "warning", low: 10, high: 20 }]),
    states: new Map(),
    isPartial: false,
  };
  expect(gaugeScale(0, 100, limits, 5)).toEqual([0, 100]);
  expect(gaugeScale(null, null, limits, 5)).toEqual([8, 22]);
  expect(gaugeScale(null, null, null, 50)).toEqual([0, 60]);
  expect(gaugeScale(null, null, null, null)).toEqual([0, 1.2]);
  expect(gaugeScale(9, 3, null, 5)).toEqual([9, 10]);
  expect(gaugeScale(null, null, null, 1e300)).toEqual([0, 1.2]);
});

test("a needle never leaves its scale", () => {
  expect(partOf(1e300, [0, 100])).toBe(1);
  expect(partOf(Number.NEGATIVE_INFINITY, [0, 100])).toBe(0);
  expect(partOf(Number.POSITIVE_INFINITY, [0, 100])).toBe(1);
  expect(arc(0, 1, 80)).toBe("M20 92A80 80 0 0 1 180 92");
});

const aligned = (x: (number | null)[], y: (number | null)[]): Aligned => ({
  from: "",
  to: "",
  step_ms: 1000,
  times: x.map((_, index) => index * 1000),
  columns: [x, y].map((mean, index) => ({
    parameter: `/p${index}`,
    count: mean.map(() => 1),
    last: mean,
    max: mean,
    mean,
    min: mean,
  })),
});

test("pairs are of moments with both values, until the moment shown, and none is off every axis", () => {
  const answer = aligned([1, null, 3, 4, 1e300], [10, 20, 30, 40, 50]);
  expect(pairsOf(answer, Number.POSITIVE_INFINITY)).toEqual({
    pairs: [
      { time: 0, x: 1, y: 10 },
      { time: 2000, x: 3, y: 30 },
      { time: 3000, x: 4, y: 40 },
    ],
    beyond: 1,
  });
  expect(pairsOf(answer, 2000).pairs).toHaveLength(2);
});

test("axes have round values, and one value alone has room around it", () => {
  expect(ticks([0, 10], 5)).toEqual([0, 2, 4, 6, 8, 10]);
  expect(ticks([27.44, 27.98], 5)).toHaveLength(5);
  expect(extent([5])).toEqual([4.5, 5.5]);
  expect(extent([])).toEqual([0, 1]);
});

test("a sparkline breaks at gaps, steps for states, and marks a lone value", () => {
  const line: PlotLine = {
    parameter: { name: "/a", short_name: "a", kind: "float", labels: [] },
    series: series([0, null, 10, 5]),
    gapMs: 5000,
    silences: [],
    lack: "no sample",
  };
  const path = sparkline(line, { from: 0, to: 3000 }, 300, 100);
  expect(path.match(/M/g)).toHaveLength(2);
  expect(path).toContain("h0");
  expect(path).not.toContain("NaN");
  const stepped = {
    ...line,
    parameter: { ...line.parameter, kind: "boolean" as const },
    series: series([0, 1]),
  };
  expect(sparkline(stepped, { from: 0, to: 1000 }, 300, 100)).toMatch(/^M0 [\d.]+H300V[\d.]+$/);
});
