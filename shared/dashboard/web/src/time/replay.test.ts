import { expect, test } from "vitest";
import type { ReplayMode } from "./mode";
import { ReplayClock } from "./replay";

const MODE: ReplayMode = { kind: "replay", from: 1_000_000, to: 1_600_000, speed: 20, at: null };

test("a replay runs at its speed and stops at its end", () => {
  const clock = new ReplayClock();
  expect(clock.position(MODE, 0)).toBe(1_000_000);
  expect(clock.position(MODE, 1_000)).toBe(1_020_000);
  expect(clock.position(MODE, 60_000)).toBe(1_600_000);
});

test("another speed goes on from where it is", () => {
  const clock = new ReplayClock();
  clock.position(MODE, 0);
  expect(clock.position({ ...MODE, speed: 1 }, 1_000)).toBe(1_020_000);
  expect(clock.position({ ...MODE, speed: 1 }, 2_000)).toBe(1_021_000);
});

test("a paused replay stands still, and goes on from there", () => {
  const clock = new ReplayClock();
  clock.position(MODE, 0);
  expect(clock.position({ ...MODE, at: 1_300_000 }, 5_000)).toBe(1_300_000);
  expect(clock.position({ ...MODE, at: 1_300_000 }, 9_000)).toBe(1_300_000);
  expect(clock.position(MODE, 10_000)).toBe(1_320_000);
});

test("another range begins at its beginning", () => {
  const clock = new ReplayClock();
  clock.position(MODE, 0);
  expect(clock.position({ ...MODE, from: 1_200_000 }, 5_000)).toBe(1_200_000);
});
