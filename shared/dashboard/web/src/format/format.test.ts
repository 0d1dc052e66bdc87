import { expect, test, vi } from "vitest";
import { bytes, count, rate, realValue, value } from "./quantity";
import { age, clockTime, dateAndTime, dayOfYear, duration, parseTime, wholeDuration } from "./time";

const AT = Date.parse("2026-11-22T12:31:05.250Z");

test.each([
  [400, "0.4 s"],
  [12_400, "12 s"],
  [99_900, "99 s"],
  [100_000, "1 min"],
  [14 * 60_000, "14 min"],
  [3 * 3_600_000 + 5 * 60_000, "3 h 05 min"],
  [52 * 3_600_000, "2 d 4 h"],
  [-5, "0.0 s"],
])("%s ms is written %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test("ages look back, and say so when a clock runs ahead", () => {
  expect(age(3200)).toBe("3.2 s ago");
  expect(age(-4000)).toBe("4.0 s ahead");
  expect(wholeDuration(3900)).toBe("3 s");
});

test("instants are written in UTC", () => {
  expect(clockTime(AT)).toBe("12:31:05Z");
  expect(dateAndTime(AT)).toBe("2026-11-22 12:31:05Z");
  expect(dayOfYear(AT)).toBe("326");
});

test.each([
  ["2026-11-22T12:31:05.250Z", AT],
  ["2026-11-22T12:31:05.250000000Z", AT],
  ["2026-11-22T13:31:05.25+01:00", AT],
  ["2026-11-22T12:31:05Z", AT - 250],
  ["2026-11-22t12:31:05z", AT - 250],
  ["2026-11-22T12:31:05.25", AT],
  ["2026-11-22 12:31:05", AT - 250],
  ["2026-11-22 12:31:05 Z", AT - 250],
  ["2026-11-22 12:31", AT - 5250],
  ["2026-11-22", Date.UTC(2026, 10, 22)],
  ["+012026-11-22T12:31:05Z", Date.UTC(12026, 10, 22, 12, 31, 5)],
])("%s is read as UTC, wherever the browser is", (text, expected) => {
  const parse = vi.spyOn(Date, "parse");
  expect(parseTime(text)).toBe(expected);
  // Only with its zone: the test's machine may itself be on UTC.
  for (const [given] of parse.mock.calls) expect(given).toMatch(/T.*(Z|[+-]\d\d:\d\d)$/);
  parse.mockRestore();
});

test.each([
  "",
  "now",
  "22 November 2026 12:31",
  "11/22/2026",
  "2026-11-22T12",
  "12:31",
  "1763814665",
  "2026-13-01",
])("%j is no time", (text) => {
  expect(parseTime(text)).toBeNaN();
});

test("nanoseconds are not lost to the millisecond", () => {
  expect(parseTime("2026-11-22T12:31:05.250500000Z") - AT).toBeCloseTo(0.5, 3);
});

test.each([
  [27.41234, "27.412"],
  [-3.16612, "-3.1661"],
  [412.377, "412.38"],
  [0.0014321, "0.001432"],
  [123456.7, "123457"],
  [1.5e9, "1.5000e+9"],
  [0.00000123, "1.2300e-6"],
  [27, "27.000"],
  [0, "0.0000"],
  ["NaN", "NaN"],
  [null, "no value"],
] as const)("the float %s is shown as %s", (given, text) => {
  expect(realValue(given)).toBe(text);
});

test("whole numbers, labels and truth values are shown as they are", () => {
  expect([value(2140), value("SAFE"), value(true)]).toEqual(["2140", "SAFE", "true"]);
});

test("counts are grouped and bytes have binary units", () => {
  expect(count(1284000)).toBe("1,284,000");
  expect([bytes(96), bytes(13_300), bytes(11_289_600), bytes(411_000_000)]).toEqual([
    "96 B",
    "13.0 KiB",
    "10.8 MiB",
    "392 MiB",
  ]);
});

test.each([
  [0, "0"],
  [0.25, "0.3"],
  [9.94, "9.9"],
  [9.96, "10"],
  [1240.2, "1,240"],
])("%s a second is written %s", (given, text) => {
  expect(rate(given)).toBe(text);
});
