import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../shell/root";

export const VIEWS = ["lines", "correlate", "statistics"] as const;
export type View = (typeof VIEWS)[number];

export interface ExploreSearch {
  /** Full paths of the parameters, in the order in which they were added. */
  p?: string[];
  /** Lines when absent. */
  view?: Exclude<View, "lines">;
  /** The table twin is shown in place of the chart. */
  table?: true;
  /** Places in `p` of the two that are compared; the first two when absent. */
  pair?: [x: number, y: number];
}

/** More lines than this cannot be told from each other. */
export const PARAMETERS_MAX = 12;

const explore = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission/explore",
  validateSearch: (search: Record<string, unknown>): ExploreSearch => {
    const given = Array.isArray(search.p) ? search.p : search.p === undefined ? [] : [search.p];
    const p = [...new Set(given.map(String).filter(Boolean))].slice(0, PARAMETERS_MAX);
    const view = VIEWS.find((name) => name === search.view);
    const pair = readPair(search.pair, p.length);
    return {
      ...(p.length > 0 ? { p } : {}),
      ...(view === undefined || view === "lines" ? {} : { view }),
      ...(search.table === true ? { table: true } : {}),
      ...(pair === null ? {} : { pair }),
    };
  },
  component: lazyRouteComponent(() => import("./ExplorePage"), "ExplorePage"),
});

function readPair(given: unknown, length: number): [number, number] | null {
  if (!Array.isArray(given)) return null;
  const [x, y] = given.map(Number);
  const isPlace = (place: number | undefined): place is number =>
    place !== undefined && Number.isInteger(place) && place >= 0 && place < length;
  return isPlace(x) && isPlace(y) && x !== y ? [x, y] : null;
}

export const exploreRoutes = [explore] as const;
