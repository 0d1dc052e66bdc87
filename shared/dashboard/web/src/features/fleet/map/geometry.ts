// What is drawn on the map, as SVG paths: x is the longitude, y the latitude downwards, in degrees. All is cut where the
// map ends, at 180 degrees.
import { type GeoPermissibleObjects, geoCircle, geoEquirectangular, geoPath } from "d3-geo";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import land from "world-atlas/land-110m.json";
import type { Place } from "./view";

const EARTH_KM = 6371;
const DEGREES = 180 / Math.PI;

// Lines between points follow the sphere within a tenth of a degree.
const path = geoPath(geoEquirectangular().scale(DEGREES).translate([0, 0]).precision(0.1)).digits(2);

export function pathOf(shape: GeoPermissibleObjects): string {
  return path(shape) ?? "";
}

export function landPath(): string {
  const topology = land as unknown as Topology<{ land: GeometryCollection }>;
  return pathOf(feature(topology, topology.objects.land));
}

export function gridPath(): string {
  let text = "";
  for (let latitude = -60; latitude <= 60; latitude += 30) text += `M-180,${-latitude}H180`;
  for (let longitude = -150; longitude <= 150; longitude += 30) text += `M${longitude},-90V90`;
  return text;
}

/** Where the Sun is below the horizon: all that is less than 90 degrees away from the point opposite to it. */
export function nightPath(sun: Place): string {
  return pathOf(
    geoCircle()
      .center([sun.longitude + 180, -sun.latitude])
      .radius(90)
      .precision(2)(),
  );
}

/** The line between day and night; the outline of the night would run along the map's edges too. */
export function terminatorPath(sun: Place): string {
  return ringPath(geoCircle().center([sun.longitude, sun.latitude]).radius(90).precision(2)());
}

export function circlePath(centre: Place, radiusDegrees: number): string {
  return ringPath(
    geoCircle().center([centre.longitude, centre.latitude]).radius(radiusDegrees).precision(3)(),
  );
}

function ringPath({ coordinates }: GeoJSON.Polygon): string {
  return pathOf({ type: "LineString", coordinates: coordinates[0] ?? [] });
}

export function linePath(places: readonly Place[]): string {
  if (places.length < 2) return "";
  return pathOf({
    type: "LineString",
    coordinates: places.map(({ longitude, latitude }) => [longitude, latitude]),
  });
}

/** How far from a station's zenith, in degrees on the ground, a spacecraft is heard that flies so high. */
export function visibilityRadius(heightKm: number, maskDegrees: number): number {
  const mask = maskDegrees / DEGREES;
  return (Math.acos((EARTH_KM * Math.cos(mask)) / (EARTH_KM + Math.max(0, heightKm))) - mask) * DEGREES;
}

export interface Moment extends Place {
  /** Unix milliseconds. */
  at: number;
  heightKm: number;
}

/** Where a spacecraft is between two of its points; `null` outside of them. */
export function positionAt(points: readonly Moment[], now: number): Moment | null {
  const after = points.findIndex((point) => point.at >= now);
  const [a, b] = [points[after - 1], points[after]];
  if (b === undefined) return null;
  if (a === undefined) return b.at === now ? b : null;
  const part = (now - a.at) / (b.at - a.at);
  // The shorter way around: a track that crosses 180 degrees does not run back over the whole map.
  const east = ((b.longitude - a.longitude + 540) % 360) - 180;
  const longitude = ((a.longitude + east * part + 540) % 360) - 180;
  return {
    at: now,
    longitude,
    latitude: a.latitude + (b.latitude - a.latitude) * part,
    heightKm: a.heightKm + (b.heightKm - a.heightKm) * part,
  };
}
