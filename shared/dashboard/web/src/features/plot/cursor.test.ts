import { expect, test } from "vitest";
import type { ParameterDescription } from "../../types";
import { moveCursor, nearestIndex, pointText, readOut, valueLabels } from "./cursor";

const temperature: ParameterDescription = {
  name: "/t",
  short_name: "t",
  kind: "float",
  unit: "°C",
  labels: [],
};
const mode: ParameterDescription = {
  name: "/m",
  short_name: "m",
  kind: "enumeration",
  labels: [{ value: 2, label: "SAFE" }],
};

test.each([
  ["ArrowLeft", null, 9],
  ["Home", null, 0],
  ["ArrowLeft", 5, 4],
  ["ArrowRight", 9, 9],
  ["ArrowLeft", 0, 0],
  ["End", 3, 9],
  ["PageUp", 5, 0],
  ["a", 5, null],
])("%s from %s leads to %s", (key, at, expected) => {
  expect(moveCursor(key, at, 10)).toBe(expected);
});

test.each([
  [0, 0],
  [14, 0],
  [16, 1],
  [99, 2],
])("the point nearest to %s is number %s", (time, expected) => {
  expect(nearestIndex([10, 20, 30], time)).toBe(expected);
});

test("a point is read with its time, value, unit and extremes", () => {
  const at = Date.parse("2026-11-22T12:31:05Z");
  const series = { times: [at], min: [27], max: [28.5], last: [27.4], newest: at, bucketMs: 1000 };
  expect(readOut(series, 0, temperature)).toBe("12:31:05.000Z, 27.400 °C, from 27.000 °C to 28.500 °C");
});

test("an enumeration is read by its label, and an unknown state by its number", () => {
  expect(pointText(2, mode)).toBe("SAFE");
  expect(pointText(7, mode)).toBe("raw 7");
});

test.each([
  [
    [31.77, 31.775, 31.78],
    ["31.770", "31.775", "31.780"],
  ],
  [
    [-50, 0, 50],
    ["-50", "0", "50"],
  ],
  [
    [0, 0.25],
    ["0.00", "0.25"],
  ],
  [
    [0.1 + 0.2, 0.4],
    ["0.3", "0.4"],
  ],
  [
    [0, 5e-8],
    ["0.000e+0", "5.000e-8"],
  ],
  [[], []],
])("the labels of %j have as many decimals as their steps", (splits, labels) => {
  expect(valueLabels(splits)).toEqual(labels);
});
