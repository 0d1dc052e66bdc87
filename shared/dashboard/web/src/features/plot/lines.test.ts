import { expect, test } from "vitest";
import type { Series } from "../../telemetry/series";
import type { ParameterDescription } from "../../types";
import { axisRange, type ChartLine, LINES_MAX, limitedLine, lookOf, scalesOf } from "./lines";
import { zonesOf } from "./zones";

function line(values: (number | null)[], changes: Partial<ParameterDescription> = {}): ChartLine {
  const series: Series = {
    times: values.map((_, index) => index * 1000),
    min: values,
    max: values,
    last: values,
    newest: values.length * 1000,
    bucketMs: 0,
  };
  const parameter: ParameterDescription = {
    name: "/a",
    short_name: "a",
    kind: "float",
    unit: "V",
    labels: [],
    ...changes,
  };
  return { parameter, series, gapMs: 5000, silences: [], lack: "no sample", limits: null };
}

test("the axis holds all values with a margin", () => {
  expect(axisRange([line([0, 100])], "values")).toEqual([-8, 108]);
});

test("a value of 1e300 and values that are none do not stretch the axis", () => {
  expect(axisRange([line([0, 1e300, null, Number.NaN, -1e300, 100])], "values")).toEqual([-8, 108]);
  expect(axisRange([line([1e300])], "values")).toEqual([0, 1]);
  expect(axisRange([line([])], "values")).toEqual([0, 1]);
});

test("a value that stays the same stands in the middle of its axis", () => {
  expect(axisRange([line([20, 20])], "values")).toEqual([19.5, 20.5]);
});

test("limits far off are shown when they are asked for, near ones always", () => {
  const far = {
    ...line([20, 22]),
    limits: {
      zones: zonesOf([{ severity: "warning", high: 90 } as const]),
      states: new Map(),
      isPartial: false,
    },
  };
  expect(axisRange([far], "values")[1]).toBeLessThan(23);
  expect(axisRange([far], "limits")[1]).toBeGreaterThan(90);
  const near = {
    ...far,
    limits: {
      zones: zonesOf([{ severity: "warning", high: 22.5 } as const]),
      states: new Map(),
      isPartial: false,
    },
  };
  expect(axisRange([near], "values")[1]).toBeGreaterThan(22.5);
});

test("values of one unit share a scale, states have their own", () => {
  const lines = [
    line([], { name: "/u" }),
    line([], { name: "/i", unit: "A" }),
    line([], { name: "/v" }),
    line([], { name: "/mode", kind: "enumeration", unit: null }),
  ];
  expect(scalesOf(lines)).toEqual(["unit V", "unit A", "states of /mode"]);
});

test("an enumeration's axis has its labels and what the spacecraft sent beside them", () => {
  const labels = [0, 1, 2].map((value) => ({ value, label: `S${value}` }));
  expect(axisRange([line([1, 5], { kind: "enumeration", labels })], "values")).toEqual([-0.5, 5.5]);
  expect(axisRange([line([], { kind: "enumeration", labels: [] })], "values")).toEqual([-0.5, 0.5]);
});

test("no two lines of a chart look the same", () => {
  const looks = Array.from({ length: LINES_MAX }, (_, index) => JSON.stringify(lookOf(index)));
  expect(new Set(looks).size).toBe(LINES_MAX);
});

test("of several lines the first with limits on the left axis has them drawn", () => {
  const limits = {
    zones: zonesOf([{ severity: "warning" as const, high: 1 }]),
    states: new Map(),
    isPartial: false,
  };
  const current = { ...line([], { name: "/i", unit: "A" }), limits };
  const second = { ...line([], { name: "/u2" }), limits };
  expect(limitedLine([line([]), current, second])?.parameter.name).toBe("/u2");
  expect(limitedLine([line([]), current])).toBeUndefined();
});
