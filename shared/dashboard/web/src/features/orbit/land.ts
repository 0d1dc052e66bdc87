// Coasts and a grid as pairs of points on the globe, for lines.
import { mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import land from "world-atlas/land-110m.json";
import { onGlobe } from "./frames";

const GRID_DEG = 30;
const STEP_DEG = 3;

/** Coordinates x, y, z of both ends of each line, one behind the other. */
export function landLines(): number[] {
  const topology = land as unknown as Topology<{ land: GeometryCollection }>;
  const coasts = mesh(topology, topology.objects.land as never).coordinates;
  const lines: number[] = [];
  const join = (from: readonly number[], to: readonly number[]) => {
    lines.push(...onGlobe(from[1] ?? 0, from[0] ?? 0), ...onGlobe(to[1] ?? 0, to[0] ?? 0));
  };
  for (const coast of coasts)
    for (const [index, to] of coast.entries()) {
      const from = coast[index - 1];
      if (from !== undefined) join(from, to);
    }
  for (let latitude = -60; latitude <= 60; latitude += GRID_DEG)
    for (let longitude = -180; longitude < 180; longitude += STEP_DEG * 2)
      join([longitude, latitude], [longitude + STEP_DEG, latitude]);
  for (let longitude = -180; longitude < 180; longitude += GRID_DEG)
    for (let latitude = -90; latitude < 90; latitude += STEP_DEG * 2)
      join([longitude, latitude], [longitude, latitude + STEP_DEG]);
  return lines;
}
