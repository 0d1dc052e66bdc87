// Directions and places as the globe draws them. Pure.
import { parseTime } from "../../format/time";
import type { SpacecraftTrack, SunPoint, TrackPoint } from "../../types";

export type Vector = [x: number, y: number, z: number];
/** Vector part first, scalar last. */
export type Quaternion = [x: number, y: number, z: number, scalar: number];

const EARTH_KM = 6_378.137;
const RADIANS = Math.PI / 180;

/** A direction in the frame that turns with the Earth (z north) as the scene has it (y north). */
export function sceneAxis([x, y, z]: Vector): Vector {
  return [x, z, -y];
}

/** A place in the frame that turns with the Earth, kilometres, as the scene has it, Earth radii. */
export function toScene([x = 0, y = 0, z = 0]: readonly number[]): Vector {
  return sceneAxis([x / EARTH_KM, y / EARTH_KM, z / EARTH_KM]);
}

/** A place on the globe, `height` in Earth radii above it. */
export function onGlobe(latitudeDeg: number, longitudeDeg: number, height = 0): Vector {
  const [latitude, longitude] = [latitudeDeg * RADIANS, longitudeDeg * RADIANS];
  const radius = 1 + height;
  return [
    radius * Math.cos(latitude) * Math.cos(longitude),
    radius * Math.sin(latitude),
    -radius * Math.cos(latitude) * Math.sin(longitude),
  ];
}

/** Turns an inertial direction into the frame that turns with the Earth. */
export function toEarthFixed([x, y, z]: Vector, siderealDeg: number): Vector {
  const angle = siderealDeg * RADIANS;
  return [x * Math.cos(angle) + y * Math.sin(angle), y * Math.cos(angle) - x * Math.sin(angle), z];
}

/** The body's axes in inertial directions, of the rotation from inertial to body axes; `null` when it is none. */
export function bodyAxes(q: Quaternion): [Vector, Vector, Vector] | null {
  const length = Math.hypot(...q);
  // A quaternion that is far from one is no attitude, whatever its numbers.
  if (!(length > 0.5 && length < 1.5)) return null;
  const [x, y, z, w] = q.map((part) => part / length) as Quaternion;
  return [
    [1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)],
    [2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w)],
    [2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)],
  ];
}

/** Where a spacecraft is between the points around a moment; `null` outside of them. */
export function positionAt({ points }: Pick<SpacecraftTrack, "points">, ms: number): TrackPoint | null {
  const after = points.findIndex(({ at }) => parseTime(at) >= ms);
  const [a, b] = [points[after - 1], points[after]];
  if (b === undefined) return null;
  if (a === undefined) return parseTime(b.at) === ms ? b : null;
  const part = (ms - parseTime(a.at)) / (parseTime(b.at) - parseTime(a.at));
  const between = (from: number, to: number) => from + (to - from) * part;
  const turn = ((b.longitude_deg - a.longitude_deg + 540) % 360) - 180;
  return {
    at: new Date(ms).toISOString(),
    latitude_deg: between(a.latitude_deg, b.latitude_deg),
    longitude_deg: ((a.longitude_deg + turn * part + 540) % 360) - 180,
    height_km: between(a.height_km, b.height_km),
    position_km: [0, 1, 2].map((axis) => between(a.position_km[axis] ?? 0, b.position_km[axis] ?? 0)),
    sunlit: part < 0.5 ? a.sunlit : b.sunlit,
  };
}

export function sunAt(sun: readonly SunPoint[], ms: number): SunPoint | null {
  return sun.findLast(({ at }) => parseTime(at) <= ms) ?? sun[0] ?? null;
}

/** Four parameters that look like the elements of one quaternion, the scalar one last. */
export function guessQuaternion(names: readonly string[]): string[] | null {
  const groups = new Map<string, Map<string, string>>();
  for (const name of names) {
    const match = /^(.*(?:quaternion|quat|attitude_q|\/q)_?)([0-4wxyzs])$/i.exec(name);
    if (match === null) continue;
    const [, stem = "", element = ""] = match;
    const group = groups.get(stem) ?? new Map<string, string>();
    groups.set(stem, group.set(element.toLowerCase(), name));
  }
  for (const group of groups.values())
    for (const order of ["1234", "xyzw", "xyzs", "0123"]) {
      const found = [...order].map((element) => group.get(element));
      // By element numbers from 0 the scalar comes first.
      if (found.every((name) => name !== undefined))
        return order === "0123" ? [...found.slice(1), found[0] ?? ""] : found;
    }
  return null;
}
