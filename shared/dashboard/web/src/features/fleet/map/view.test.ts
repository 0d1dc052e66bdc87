import { expect, test } from "vitest";
import {
  clamped,
  type MapView,
  moved,
  readView,
  scaleOf,
  toScreen,
  WHOLE_WORLD,
  writeView,
  ZOOM_MAX,
  zoomedAt,
} from "./view";

const SIZE = { width: 720, height: 360 };
const CLOSE: MapView = { latitude: 40, longitude: 10, zoom: 8 };

test("the whole world fits at first", () => {
  expect(scaleOf(WHOLE_WORLD, SIZE)).toBe(2);
  expect(toScreen(WHOLE_WORLD, SIZE, { latitude: 90, longitude: -180 })).toEqual({ x: 0, y: 0 });
  expect(toScreen(WHOLE_WORLD, SIZE, { latitude: -90, longitude: 180 })).toEqual({ x: 720, y: 360 });
});

test("what lies under the pointer stays there while it zooms and while it moves", () => {
  const kiruna = { latitude: 67.88, longitude: 21.06 };
  const before = toScreen(CLOSE, SIZE, kiruna);
  const after = toScreen(zoomedAt(CLOSE, SIZE, 1.5, before), SIZE, kiruna);
  expect(after.x).toBeCloseTo(before.x, 6);
  expect(after.y).toBeCloseTo(before.y, 6);
  const dragged = toScreen(moved(CLOSE, SIZE, { x: 30, y: -12 }), SIZE, kiruna);
  expect(dragged.x - before.x).toBeCloseTo(30, 6);
  expect(dragged.y - before.y).toBeCloseTo(-12, 6);
});

test("the map ends where the world ends, and zooms neither out of it nor for ever", () => {
  expect(moved(WHOLE_WORLD, SIZE, { x: 500, y: 500 })).toEqual(WHOLE_WORLD);
  const edge = clamped({ latitude: 89, longitude: 179, zoom: 4 }, SIZE);
  expect(toScreen(edge, SIZE, { latitude: 90, longitude: 180 })).toEqual({ x: 720, y: 0 });
  expect(zoomedAt(CLOSE, SIZE, 1e6, { x: 0, y: 0 }).zoom).toBe(ZOOM_MAX);
  expect(zoomedAt(CLOSE, SIZE, 1e-6, { x: 0, y: 0 })).toEqual(WHOLE_WORLD);
});

test("a view is written into the address and read back", () => {
  expect(writeView({ latitude: 60.123, longitude: -12.5, zoom: 4 })).toBe("60.12,-12.5,4");
  expect(readView("60.12,-12.5,4")).toEqual({ latitude: 60.12, longitude: -12.5, zoom: 4 });
});

test.each([
  "",
  "1,2",
  "1,2,3,4",
  "91,0,1",
  "0,181,1",
  "0,0,0.5",
  "0,0,1e9",
  "NaN,0,1",
  "a,b,c",
  undefined,
  7,
])("%s is no view", (text) => {
  expect(readView(text)).toBeNull();
});
