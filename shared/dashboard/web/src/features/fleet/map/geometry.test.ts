import { expect, test } from "vitest";
import { landPath, linePath, nightPath, positionAt, terminatorPath, visibilityRadius } from "./geometry";

/** All longitudes and latitudes of a path. */
function points(path: string): [number, number][] {
  return [...path.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) => [Number(x), -Number(y)]);
}

test("the land comes with the bundle and lies on the Earth", () => {
  const land = points(landPath());
  expect(land.length).toBeGreaterThan(3_000);
  expect(land.every(([x, y]) => Math.abs(x) <= 180 && Math.abs(y) <= 90)).toBe(true);
});

test("at an equinox noon in Greenwich the Sun sets and rises at 90 degrees", () => {
  const line = points(terminatorPath({ latitude: 0, longitude: 0 }));
  expect(line.length).toBeGreaterThan(10);
  for (const [longitude, latitude] of line)
    if (Math.abs(latitude) < 80) expect(Math.abs(longitude)).toBeCloseTo(90, 0);
  expect(nightPath({ latitude: 0, longitude: 0 })).toMatch(/^M.*Z$/);
});

test("a ground track is cut where the map ends instead of running back over it", () => {
  const track = linePath([
    { latitude: 10, longitude: 170 },
    { latitude: 12, longitude: -170 },
  ]);
  expect(track.match(/M/g)).toHaveLength(2);
  expect(points(track).every(([x]) => Math.abs(x) >= 170)).toBe(true);
  expect(linePath([{ latitude: 1, longitude: 1 }])).toBe("");
});

test.each([
  [540, 0, 22.8],
  [540, 5, 18.3],
  [35_786, 0, 81.3],
  [0, 0, 0],
])("from %s km above a mask of %s degrees a station is heard %s degrees away", (height, mask, degrees) => {
  expect(visibilityRadius(height, mask)).toBeCloseTo(degrees, 1);
});

test("between two points a spacecraft moves along the shorter way, also over 180 degrees", () => {
  const moments = [
    { at: 0, latitude: 0, longitude: 178, heightKm: 500 },
    { at: 100, latitude: 10, longitude: -178, heightKm: 520 },
  ];
  expect(positionAt(moments, 75)).toEqual({ at: 75, latitude: 7.5, longitude: -179, heightKm: 515 });
  expect(positionAt(moments, 101)).toBeNull();
  expect(positionAt(moments, -1)).toBeNull();
});
