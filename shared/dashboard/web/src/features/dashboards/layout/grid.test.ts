import { expect, test } from "vitest";
import type { Widget } from "../../../types";
import { closeGaps, freePlace, overlap, put, stepped } from "./grid";

const widget = (id: string, x: number, y: number, w: number, h: number): Widget => ({
  id,
  kind: "text",
  x,
  y,
  w,
  h,
  opts: {},
});
const places = (widgets: Widget[]) =>
  Object.fromEntries(widgets.map(({ id, x, y, w, h }) => [id, [x, y, w, h]]));

test("what lies in the way makes room downwards, in turn", () => {
  const moved = put([widget("a", 0, 0, 12, 4), widget("b", 0, 4, 12, 4), widget("c", 0, 8, 12, 4)], "a", {
    x: 0,
    y: 2,
    w: 12,
    h: 4,
  });
  expect(places(moved)).toEqual({ a: [0, 2, 12, 4], b: [0, 6, 12, 4], c: [0, 10, 12, 4] });
});

test("what is not in the way stays where it is", () => {
  const moved = put([widget("a", 0, 0, 6, 4), widget("b", 12, 0, 6, 4)], "a", { x: 4, y: 0, w: 6, h: 4 });
  expect(places(moved)).toEqual({ a: [4, 0, 6, 4], b: [12, 0, 6, 4] });
});

test("no widget leaves the grid or becomes too small to take hold of", () => {
  const [moved] = put([widget("a", 0, 0, 6, 4)], "a", { x: 30, y: -3, w: 40, h: 0 });
  expect(moved).toMatchObject({ x: 0, y: 0, w: 24, h: 2 });
});

test("whatever is moved where, nothing lies over anything else and nothing is lost", () => {
  let widgets = Array.from({ length: 12 }, (_, n) =>
    widget(`w${n}`, (n % 4) * 6, Math.floor(n / 4) * 4, 6, 4),
  );
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  for (let step = 0; step < 300; step += 1) {
    widgets = put(widgets, `w${random(12)}`, {
      x: random(30) - 3,
      y: random(20),
      w: random(26),
      h: random(9),
    });
    expect(widgets).toHaveLength(12);
    for (const [index, a] of widgets.entries())
      expect(widgets.slice(index + 1).some((b) => overlap(a, b))).toBe(false);
  }
});

test("a new widget gets the first free place from above", () => {
  const widgets = [widget("a", 0, 0, 12, 4), widget("b", 0, 4, 24, 4)];
  expect(freePlace(widgets, 8, 4)).toEqual({ x: 12, y: 0, w: 8, h: 4 });
  expect(freePlace(widgets, 24, 2)).toEqual({ x: 0, y: 8, w: 24, h: 2 });
});

test("gaps are closed upwards without changing what is beside what", () => {
  expect(
    places(closeGaps([widget("a", 0, 9, 12, 4), widget("b", 12, 2, 12, 4), widget("c", 0, 20, 24, 2)])),
  ).toEqual({
    a: [0, 0, 12, 4],
    b: [12, 0, 12, 4],
    c: [0, 4, 24, 2],
  });
});

test("arrow keys move a widget, with shift they change its size", () => {
  const place = { x: 22, y: 0, w: 3, h: 4 };
  expect(stepped({ ...place, x: 5 }, "ArrowRight", false)).toMatchObject({ x: 6 });
  expect(stepped({ ...place, x: 5 }, "ArrowDown", true)).toMatchObject({ y: 0, h: 5 });
  expect(stepped({ x: 21, y: 0, w: 3, h: 4 }, "ArrowRight", true)).toMatchObject({ x: 21, w: 3 });
  expect(stepped({ x: 0, y: 0, w: 3, h: 4 }, "ArrowUp", false)).toMatchObject({ x: 0, y: 0 });
  expect(stepped(place, "Enter", false)).toBeNull();
});
