// What the address of the fleet page holds: which view, which stations, in which order, and where the map stands.
import { readView, writeView } from "./map/view";
import { LEAST, type Least, SORTS, type Sort } from "./status";

export interface FleetSearch {
  view?: "map" | "matrix";
  q?: string;
  /** Stations that are at least so bad. */
  least?: Least;
  sort?: Sort;
  /** Middle and zoom of the map, as `map/view.ts` writes it. */
  at?: string;
  /** Whose ground tracks; absent: those of all missions. */
  mission?: string;
}

export function fleetSearch(search: { [name in keyof FleetSearch]?: unknown }): FleetSearch {
  const least = LEAST.find((one) => one === search.least);
  const sort = SORTS.find((one) => one === search.sort);
  const at = readView(search.at);
  return {
    ...(search.view === "matrix" ? { view: "matrix" } : {}),
    ...(search.q === undefined || search.q === "" ? {} : { q: String(search.q) }),
    ...(least === undefined ? {} : { least }),
    ...(sort === undefined || sort === "worst" ? {} : { sort }),
    ...(at === null ? {} : { at: writeView(at) }),
    ...(typeof search.mission === "string" && search.mission !== "" ? { mission: search.mission } : {}),
  };
}
