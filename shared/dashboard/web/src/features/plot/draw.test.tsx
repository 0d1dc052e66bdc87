// What is drawn, told by a canvas that only notes what it is asked for.
import { expect, test } from "vitest";
import type { ParameterKind } from "../../types";
import { drawGaps, drawZones, type Sheet } from "./draw";
import { drawEndLabels, drawLine } from "./drawLines";
import type { ChartLine } from "./lines";
import { zonesOf } from "./zones";

function sheet() {
  const calls: [name: string, args: unknown[]][] = [];
  const ctx = new Proxy({} as CanvasRenderingContext2D, {
    get: (kept, name) => {
      if (name === "measureText") return (text: string) => ({ width: text.length * 6 });
      if (name in kept) return Reflect.get(kept, name);
      return (...args: unknown[]) => {
        calls.push([String(name), args]);
        return null;
      };
    },
  });
  const made: Sheet = {
    ctx,
    left: 0,
    top: 0,
    width: 100,
    height: 100,
    dot: 1,
    xOf: (time) => time / 100,
    yOf: (value) => Math.min(200, Math.max(-100, 100 - value)),
  };
  const numbers = () => calls.flatMap(([, args]) => args).filter((arg) => typeof arg === "number");
  const of = (name: string) => calls.filter(([called]) => called === name).map(([, args]) => args);
  return { made, of, numbers };
}

function line(values: (number | null)[], kind: ParameterKind = "float", gapMs = 5000): ChartLine {
  return {
    parameter: { name: "/a", short_name: "a", kind, labels: [] },
    series: {
      times: values.map((_, index) => index * 1000),
      min: values,
      max: values,
      last: values,
      newest: null,
      bucketMs: 0,
    },
    gapMs,
    silences: [],
    lack: "no sample",
    limits: null,
  };
}

test("values that are none break the line, and what is beyond any axis keeps the canvas sound", () => {
  const { made, of, numbers } = sheet();
  drawLine(made, line([10, 20, null, 30, 1e300, -1e300, 40]), 0);
  expect(of("moveTo").length).toBeGreaterThanOrEqual(2);
  expect(numbers().every((number) => Math.abs(number) <= 300)).toBe(true);
});

test("a value between two gaps is a dot", () => {
  const { made, of } = sheet();
  drawLine(made, line([null, 30, null]), 0);
  expect(of("arc")).toHaveLength(1);
});

test("states are drawn in steps", () => {
  const { made, of } = sheet();
  drawLine(made, line([0, 1], "enumeration"), 0);
  expect(of("lineTo")).toEqual([
    [10, 100],
    [10, 99],
  ]);
});

test("points out of limits are marked, close ones once", () => {
  const { made, of } = sheet();
  const limits = {
    zones: zonesOf([{ severity: "critical", high: 50 }]),
    states: new Map(),
    isPartial: false,
  };
  drawLine(made, { ...line([60, 60, 10, 10]), limits }, 0);
  expect(of("closePath")).toHaveLength(2);
  const within = sheet();
  drawLine(within.made, { ...line([10, 10]), limits }, 0);
  expect(within.of("closePath")).toHaveLength(0);
});

test("caution has dashed edges, worse ones are solid, and open ends reach the chart's edge", () => {
  const { made, of } = sheet();
  const zones = zonesOf([
    { severity: "warning", high: 50 },
    { severity: "critical", high: 80 },
  ]);
  drawZones(made, { zones, states: new Map(), isPartial: false }, "tank");
  expect(of("setLineDash")).toEqual([[[6, 4]], [[]]]);
  expect(of("fillRect")).toEqual([
    [0, 20, 100, 30],
    [0, 0, 100, 20],
  ]);
  expect(String(of("fillText")[0]?.[0])).toContain("limits of tank");
});

test("a gap says its cause in words where there is room", () => {
  const { made, of } = sheet();
  drawGaps(made, [
    { from: 0, to: 9_900, kind: "lost" },
    { from: 0, to: 500, kind: "not-received" },
    { from: 20_000, to: 30_000, kind: "waiting" },
  ]);
  expect(of("fillText").map(([text]) => text)).toEqual(["lost"]);
});

test("names at the ends of lines are cut to their room", () => {
  const { made, of } = sheet();
  drawEndLabels(made, [{ index: 0, name: "x".repeat(300), y: 50 }], 100, 132);
  expect(String(of("fillText")[0]?.[0]).length).toBeLessThan(24);
});
