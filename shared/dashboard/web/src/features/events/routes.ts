import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../shell/root";
import type { EventSeverity } from "../../types";

/** From the least to the most severe. */
export const SEVERITIES: readonly EventSeverity[] = ["info", "warning", "error"];

export interface EventsSearch {
  /** The hub's own events; those of the mission when absent. */
  of?: "hub";
  /** Events that matter less are left out. */
  severity?: EventSeverity;
  /** Words that must occur. */
  q?: string;
  /** The event that is shown in full, as `log.ts` names it. */
  event?: string;
}

const events = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission/events",
  validateSearch: (search: Record<string, unknown>): EventsSearch => {
    const severity = SEVERITIES.find((name) => name === search.severity);
    return {
      ...(search.of === "hub" ? { of: "hub" } : {}),
      ...(severity === undefined || severity === "info" ? {} : { severity }),
      ...(search.q === undefined || search.q === "" ? {} : { q: String(search.q) }),
      ...(search.event === undefined || search.event === "" ? {} : { event: String(search.event) }),
    };
  },
  component: lazyRouteComponent(() => import("./EventsPage"), "EventsPage"),
});

export const eventsRoutes = [events] as const;
