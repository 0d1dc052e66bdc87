import { expect, test } from "vitest";
import type { ClosedPart } from "../../api/alarms";
import { MockAlarms } from "../../mock/alarmState";
import { merged, nextOf } from "./closed";

const alarms = new MockAlarms(() => Date.parse("2026-11-23T12:00:00Z"));

/** A page: how many minutes ago its alarms began, and whether there are more. */
function page(minutes: number[], next: string | null = null) {
  const made = minutes.map((ago) =>
    alarms.raise({ parameter: `/${ago}`, severity: "watch", minutes: ago, late: true }),
  );
  return { alarms: made.map(({ alarm }) => alarm), next, open: 0, left_out: 0 };
}

function shown(parts: ClosedPart[]): string[] {
  return merged(parts).map(({ mission, alarm }) => `${mission}${alarm.parameter}`);
}

test("pages of several missions are one list, newest first, without a hole", () => {
  const first = { a: page([1, 5, 9], "a2"), b: page([2, 3], "b2"), c: page([]) };
  expect(shown([first])).toEqual(["a/1", "b/2", "b/3"]);
  expect(nextOf([first])).toEqual({ b: "b2" });
  const second = { b: page([4, 20]) };
  expect(shown([first, second])).toEqual(["a/1", "b/2", "b/3", "b/4", "a/5", "a/9"]);
  expect(nextOf([first, second])).toEqual({ a: "a2" });
  const third = { a: page([30]) };
  expect(shown([first, second, third]).slice(-2)).toEqual(["b/20", "a/30"]);
  expect(nextOf([first, second, third])).toBeNull();
});

test("an empty page that has a next one holds the others back until it is read", () => {
  const first = { a: page([], "a2"), b: page([1]) };
  expect(shown([first])).toEqual([]);
  expect(nextOf([first])).toEqual({ a: "a2" });
  expect(shown([first, { a: page([2]) }])).toEqual(["b/1", "a/2"]);
});
