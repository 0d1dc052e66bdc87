// Turns what a map shows into paths, each of them made anew only when what it shows has changed.
import { useMemo } from "react";
import type { MapSite } from "./clusters";
import type { Craft, Layers } from "./draw";
import {
  circlePath,
  gridPath,
  landPath,
  linePath,
  type Moment,
  nightPath,
  positionAt,
  terminatorPath,
  visibilityRadius,
} from "./geometry";
import type { Place } from "./view";

export interface MapTrack {
  /** Names it among all: spacecraft of two missions may be called the same. */
  id: string;
  /** The spacecraft. */
  name: string;
  points: readonly (Moment & { sunlit: boolean })[];
}

export interface Drawn {
  sites: readonly MapSite[];
  hub: Place | null;
  tracks: readonly MapTrack[];
  /** Elevation from which a node hears, degrees. */
  masks: ReadonlyMap<string, number>;
  sun: Place | null;
  now: number;
}

/** Beyond so many, circles hide what they surround. */
const CIRCLES_MAX = 40;
/** Beyond so many, lines hide the map: those that are in order are then left out. */
export const LINKS_MAX = 100;
/** A spacecraft in low orbit moves 2 degrees in this time, half of its symbol. */
const TRACK_STEP_MS = 30_000;

let land: string | null = null;

export function useLayers({ sites, hub, tracks, masks, sun, now }: Drawn): Layers {
  const step = Math.floor(now / TRACK_STEP_MS) * TRACK_STEP_MS;
  land ??= landPath();
  const grid = useMemo(gridPath, []);
  const dark = useMemo(
    () =>
      sun === null
        ? { night: "", terminator: "" }
        : { night: nightPath(sun), terminator: terminatorPath(sun) },
    [sun],
  );
  const split = useMemo(() => splitTracks(tracks, step), [tracks, step]);
  const height = tracks[0] === undefined ? null : (positionAt(tracks[0].points, step)?.heightKm ?? null);
  // Sites are new objects with each heartbeat; where they are and how they are linked seldom changes.
  const places = JSON.stringify(
    sites.map(({ id, latitude, longitude, link }) => [latitude, longitude, link, masks.get(id) ?? null]),
  );
  const ofSites = useMemo(() => sitePaths(JSON.parse(places), hub, height), [places, hub, height]);
  return useMemo(
    () => ({ land: land ?? "", grid, ...dark, ...split, ...ofSites }),
    [grid, dark, split, ofSites],
  );
}

type Row = [latitude: number, longitude: number, link: MapSite["link"], mask: number | null];

function sitePaths(rows: Row[], hub: Place | null, height: number | null) {
  // Of several stations at one place one line and one circle is enough.
  const placed = [...new Map(rows.map((row) => [row.join(), row])).values()].map(
    ([latitude, longitude, link, mask]) => ({ latitude, longitude, link, mask }),
  );
  const links = (state: MapSite["link"]) =>
    hub === null || (state === "live" && placed.length > LINKS_MAX)
      ? ""
      : placed
          .filter(({ link }) => link === state)
          .map((site) => linePath([hub, site]))
          .join("");
  const rings =
    height === null || placed.length > CIRCLES_MAX ? [] : placed.filter(({ mask }) => mask !== null);
  const circles = new Set(
    rings.map((site) => circlePath(site, visibilityRadius(height ?? 0, site.mask ?? 0))),
  );
  return { liveLinks: links("live"), degradedLinks: links("degraded"), circles: [...circles].join("") };
}

function splitTracks(tracks: readonly MapTrack[], now: number): { past: string; ahead: string } {
  let [past, ahead] = ["", ""];
  for (const { points } of tracks) {
    const position = positionAt(points, now);
    const between = position === null ? [] : [position];
    past += linePath([...points.filter((point) => point.at < now), ...between]);
    ahead += linePath([...between, ...points.filter((point) => point.at > now)]);
  }
  return { past, ahead };
}

export function positionsOf(tracks: readonly MapTrack[], now: number): Craft[] {
  return tracks.flatMap(({ id, name, points }) => {
    const position = positionAt(points, now);
    if (position === null) return [];
    const sunlit = points.find((point) => point.at >= now)?.sunlit ?? false;
    return [{ id, name, sunlit, latitude: position.latitude, longitude: position.longitude }];
  });
}
