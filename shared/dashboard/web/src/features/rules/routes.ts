import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../shell/root";
import { readDeliveriesSearch } from "./deliveries";

interface RulesSearch {
  /** Which rules; those of alarms when absent. */
  of?: "detection";
  /** Versions that are compared. */
  from?: number;
  to?: number;
}

const rules = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission/rules",
  validateSearch: ({ of, from, to }: Record<string, unknown>): RulesSearch => ({
    ...(of === "detection" ? { of } : {}),
    ...(isVersion(from) && isVersion(to) ? { from, to } : {}),
  }),
  component: lazyRouteComponent(() => import("./RulesPage"), "RulesPage"),
});

const deliveries = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission/deliveries",
  validateSearch: readDeliveriesSearch,
  component: lazyRouteComponent(() => import("./DeliveriesPage"), "DeliveriesPage"),
});

function isVersion(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0;
}

export const rulesRoutes = [rules, deliveries] as const;
