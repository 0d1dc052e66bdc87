import { expect, test } from "vitest";
import type { Health } from "../live/connection";
import type { Sample } from "../types";
import { freshness } from "./freshness";

const GENERATED = Date.parse("2026-11-22T12:00:00Z");
const LIVE: Health = { state: "live", age: 100 };

function check(
  interval_ms: number | null,
  age: number,
  { health = LIVE, generation_time = "2026-11-22T12:00:00Z" } = {},
): boolean {
  const sample: Sample = {
    parameter: "/a/b",
    generation_time,
    reception_time: "2026-11-22T12:00:00Z",
    raw: 1,
    engineering: 1,
    node: "n",
    interval_ms,
    provenance: "live",
    validity: "valid",
    monitoring: "not-monitored",
    dictionary_version: 1,
  };
  return freshness(sample, { health, serverNow: GENERATED + age }).stale;
}

test.each([
  ["three intervals", 10_000, 30_000, false],
  ["more than three intervals", 10_000, 30_001, true],
  ["less than three seconds of a fast parameter", 100, 3_000, false],
  ["more than three seconds of a fast parameter", 100, 3_001, true],
  ["thirty seconds without a known interval", null, 30_000, false],
  ["more than thirty seconds without a known interval", null, 30_001, true],
  ["a generation time ahead of the server", 1_000, -5_000, false],
] as const)("after %s the value's staleness is right", (_, interval, age, expected) => {
  expect(check(interval, age)).toBe(expected);
});

test("nothing is fresh while the connection is frozen", () => {
  expect(check(10_000, 100, { health: { state: "reconnecting", downFor: 1, frozenAt: 0 } })).toBe(true);
  expect(check(10_000, 100, { health: { state: "offline", downFor: 1, frozenAt: 0 } })).toBe(true);
});

test("a value whose clock is wrong by a day grows old from when it was received", () => {
  const generation_time = "2026-11-23T12:00:00Z";
  expect(check(10_000, 30_000, { generation_time })).toBe(false);
  expect(check(10_000, 30_001, { generation_time })).toBe(true);
});
