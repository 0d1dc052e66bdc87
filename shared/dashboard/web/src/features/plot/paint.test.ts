import { expect, test } from "vitest";
import { fitted, spread } from "./paint";

const ctx = { measureText: (text: string) => ({ width: text.length * 6 }) } as CanvasRenderingContext2D;

test("labels that would lie over each other are moved apart and stay inside", () => {
  expect(spread([10, 12, 50], 10, 0, 100)).toEqual([10, 20, 50]);
  expect(spread([98, 99, 97], 10, 0, 100)).toEqual([90, 100, 80]);
  expect(spread([], 10, 0, 100)).toEqual([]);
});

test("a name of 300 characters is cut to its room, and text that turns direction is kept apart", () => {
  expect(fitted(ctx, "x".repeat(300), 120).length).toBeLessThan(24);
  expect(fitted(ctx, "ok", 120)).toBe("\u2068ok\u2069");
  expect(fitted(ctx, "\u202eevil", 120)).toBe("\u2068\u202eevil\u2069");
});
