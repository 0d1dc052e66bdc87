// Stations that would lie on each other are one symbol. The squares they are gathered by are fixed to the Earth, so that
// moving the map does not gather them anew.
import { type Status, worstOf } from "../../../shell/status";
import type { Place } from "./view";

export type LinkState = "degraded" | "live" | "offline";

export interface MapSite extends Place {
  /** The node. */
  id: string;
  /** The site. */
  site: string;
  status: Status;
  /** What the status is called, with its reason. */
  word: string;
  /** What is known of it is old. */
  hollow: boolean;
  link: LinkState;
}

export interface Cluster extends Place {
  id: string;
  members: readonly MapSite[];
  status: Status;
  hollow: boolean;
}

/** Side of a square, pixels: a symbol's button has room in it; among many, so has what stands beside it. */
const SQUARE = 32;
const SQUARE_AMONG_MANY = 52;
const MANY = 100;

export function clustered(sites: readonly MapSite[], pixelsPerDegree: number): Cluster[] {
  const degrees = (sites.length > MANY ? SQUARE_AMONG_MANY : SQUARE) / pixelsPerDegree;
  const squares = new Map<string, MapSite[]>();
  for (const site of sites) {
    const key = `${Math.floor((site.longitude + 180) / degrees)}:${Math.floor((site.latitude + 90) / degrees)}`;
    const square = squares.get(key);
    if (square === undefined) squares.set(key, [site]);
    else square.push(site);
  }
  return [...squares].map(([id, members]) => ({
    id,
    members,
    latitude: mean(members, "latitude"),
    longitude: mean(members, "longitude"),
    status: worstOf(members.map((site) => site.status)),
    hollow: members.every((site) => site.hollow),
  }));
}

function mean(members: readonly MapSite[], part: "latitude" | "longitude"): number {
  return members.reduce((sum, site) => sum + site[part], 0) / members.length;
}

/** Whether zooming in can take it apart. */
export function isSpread(cluster: Cluster): boolean {
  const [first] = cluster.members;
  return cluster.members.some(
    (site) => site.latitude !== first?.latitude || site.longitude !== first.longitude,
  );
}

export type Direction = "down" | "left" | "right" | "up";

/** The next cluster in a direction, for arrow keys: ahead rather than aside. */
export function neighbour(clusters: readonly Cluster[], from: Cluster, direction: Direction): Cluster | null {
  let nearest: Cluster | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const cluster of clusters) {
    const [ahead, aside] = offsets(from, cluster, direction);
    const cost = ahead + 2 * Math.abs(aside);
    if (cluster.id !== from.id && ahead > 0 && cost < least) {
      nearest = cluster;
      least = cost;
    }
  }
  return nearest;
}

function offsets(from: Place, to: Place, direction: Direction): [ahead: number, aside: number] {
  const east = to.longitude - from.longitude;
  const north = to.latitude - from.latitude;
  switch (direction) {
    case "down":
      return [-north, east];
    case "left":
      return [-east, north];
    case "right":
      return [east, north];
    case "up":
      return [north, east];
  }
}
