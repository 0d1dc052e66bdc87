import { expect, test } from "vitest";
import { severityAt, worstOf, zonesOf } from "./zones";

const INF = Number.POSITIVE_INFINITY;

test("a warning range in a critical one makes yellow between and red beyond", () => {
  const zones = zonesOf([
    { severity: "warning", low: 10, high: 40 },
    { severity: "critical", low: 5, high: 45 },
  ]);
  expect(zones).toEqual([
    { from: -INF, to: 5, severity: "critical" },
    { from: 5, to: 10, severity: "warning" },
    { from: 40, to: 45, severity: "warning" },
    { from: 45, to: INF, severity: "critical" },
  ]);
});

test("a range that is open at one end limits the other only", () => {
  expect(zonesOf([{ severity: "distress", high: 3 }])).toEqual([{ from: 3, to: INF, severity: "distress" }]);
});

test("ranges of bad values are bad inside", () => {
  expect(zonesOf([{ severity: "watch", low: 1, high: 2, is_of_bad_values: true }])).toEqual([
    { from: 1, to: 2, severity: "watch" },
  ]);
});

test("limits that nothing says are no zones", () => {
  expect(zonesOf([])).toEqual([]);
  expect(zonesOf([{ severity: "watch" }])).toEqual([]);
});

test("a value on an edge is within its limits, one beyond is as bad as its zone", () => {
  const limits = {
    zones: zonesOf([{ severity: "warning", low: 0, high: 10 }]),
    states: new Map([[3, "severe" as const]]),
    isPartial: false,
  };
  expect(severityAt(10, limits)).toBeNull();
  expect(severityAt(10.1, limits)).toBe("warning");
  expect(severityAt(1e300, limits)).toBe("warning");
  expect(severityAt(3, limits)).toBe("severe");
  expect(severityAt(3, null)).toBeNull();
});

test("the worst of several severities counts", () => {
  expect(worstOf(["watch", "severe", "warning"])).toBe("severe");
  expect(worstOf([])).toBeNull();
});
