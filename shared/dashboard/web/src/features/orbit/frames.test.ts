import { expect, test } from "vitest";
import type { TrackPoint } from "../../types";
import {
  bodyAxes,
  guessQuaternion,
  onGlobe,
  positionAt,
  sceneAxis,
  toEarthFixed,
  toScene,
  type Vector,
} from "./frames";

const close = (found: readonly number[] | null | undefined, expected: readonly number[]) => {
  expect(found).toHaveLength(expected.length);
  for (const [index, value] of expected.entries()) expect(found?.[index]).toBeCloseTo(value, 6);
};

function cross([a, b, c]: Vector, [d, e, f]: Vector): Vector {
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}

test("the scene has north up, and places lie on its globe", () => {
  close(toScene([0, 0, 6378.137]), [0, 1, 0]);
  close(onGlobe(90, 0), [0, 1, 0]);
  close(onGlobe(0, 0), [1, 0, 0]);
  close(onGlobe(0, 90, 1), [0, 0, -2]);
  close(toScene([0, 6378.137, 0]), onGlobe(0, 90));
});

test("axes of a body point in the scene where places in their direction lie, and keep their hand", () => {
  close(sceneAxis([0, 0, 1]), onGlobe(90, 0));
  close(sceneAxis([1, 0, 0]), onGlobe(0, 0));
  close(sceneAxis([0, 1, 0]), onGlobe(0, 90));
  // Three unlike parts, so that none can stand for another.
  close(sceneAxis([1, 2, 3]), [1, 3, -2]);
  const axes = bodyAxes([0.1, -0.3, 0.5, 0.8]);
  if (axes === null) throw new Error("it is an attitude");
  const [x, y, z] = axes.map(sceneAxis) as typeof axes;
  close(cross(x, y), z);
});

test("inertial directions turn back by the sidereal angle", () => {
  close(toEarthFixed([1, 0, 0], 90), [0, -1, 0]);
  close(toEarthFixed([0, 1, 0], 90), [1, 0, 0]);
});

test("a quaternion from inertial to body axes gives the body's axes", () => {
  close(bodyAxes([0, 0, 0, 1])?.[0], [1, 0, 0]);
  // The body turned by 90 degrees about z: its x axis points along inertial y.
  const half = Math.SQRT1_2;
  close(bodyAxes([0, 0, half, half])?.[0], [0, 1, 0]);
  close(bodyAxes([0, 0, half, half])?.[1], [-1, 0, 0]);
  close(bodyAxes([0, 0, half * 1.02, half * 1.02])?.[0], [0, 1, 0]);
});

test.each([
  [[0, 0, 0, 0]],
  [[Number.NaN, 0, 0, 1]],
  [[Number.POSITIVE_INFINITY, 0, 0, 1]],
  [[1e300, 0, 0, 1]],
] as [[number, number, number, number]][])("%j is no attitude", (q) => {
  expect(bodyAxes(q)).toBeNull();
});

test("a position lies between two points, over the edge of the map too", () => {
  const point = (at: string, longitude_deg: number): TrackPoint => ({
    at,
    latitude_deg: 10,
    longitude_deg,
    height_km: 600,
    position_km: [7000, 0, 0],
    sunlit: true,
  });
  const points = [point("2026-11-22T12:00:00Z", 179), point("2026-11-22T12:01:00Z", -179)];
  const middle = positionAt({ points }, Date.parse("2026-11-22T12:00:30Z"));
  expect(Math.abs(middle?.longitude_deg ?? 0)).toBeCloseTo(180);
  expect(positionAt({ points }, Date.parse("2026-11-22T12:02:00Z"))).toBeNull();
  expect(positionAt({ points }, Date.parse("2026-11-22T11:59:00Z"))).toBeNull();
});

test("quaternions are guessed by their names", () => {
  const named = (elements: string) => [...elements].map((element) => `/Demo/attitude_quaternion_${element}`);
  expect(guessQuaternion(["/Demo/a", ...named("1234")])).toEqual(named("1234"));
  expect(guessQuaternion(named("0123"))).toEqual(named("1230"));
  expect(guessQuaternion(named("wxyz"))).toEqual(named("xyzw"));
  expect(guessQuaternion(named("123"))).toBeNull();
});
