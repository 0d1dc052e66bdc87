import { expect, test } from "vitest";
import { Keys } from "./keys";

test("a letter behind g goes somewhere, and only soon behind it", () => {
  const keys = new Keys();
  expect(keys.next("g", 0)).toBeNull();
  expect(keys.next("a", 500)).toEqual({ kind: "go", to: "alarms" });
  expect(keys.next("a", 600)).toBeNull();
  keys.next("g", 1_000);
  expect(keys.next("a", 3_000)).toBeNull();
});

test("a letter that leads nowhere ends the going, and does what it does alone", () => {
  const keys = new Keys();
  keys.next("g", 0);
  expect(keys.next("l", 100)).toEqual({ kind: "live" });
  expect(keys.next("o", 200)).toBeNull();
});

test("the range is moved and zoomed by keys", () => {
  const keys = new Keys();
  expect(keys.next("[", 0)).toEqual({ kind: "shift", by: -0.5 });
  expect(keys.next("]", 0)).toEqual({ kind: "shift", by: 0.5 });
  expect(keys.next("+", 0)).toEqual({ kind: "zoom", factor: 0.5 });
  expect(keys.next("z", 0)).toBeNull();
});
