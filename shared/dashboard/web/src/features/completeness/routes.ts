import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../shell/root";

export interface DataSearch {
  /** Bands when absent. */
  view?: "list";
  /** Stations of which only the sum is shown. */
  closed?: string[];
  /** What is looked at, as `bands.ts` writes it. */
  part?: string;
}

const completeness = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission/data",
  validateSearch: (search: Record<string, unknown>): DataSearch => {
    const given = Array.isArray(search.closed) ? search.closed : [];
    return {
      ...(search.view === "list" ? { view: "list" } : {}),
      ...(given.length > 0 ? { closed: given.map(String) } : {}),
      ...(typeof search.part === "string" && search.part !== "" ? { part: search.part } : {}),
    };
  },
  component: lazyRouteComponent(() => import("./CompletenessPage"), "CompletenessPage"),
});

export const completenessRoutes = [completeness] as const;
