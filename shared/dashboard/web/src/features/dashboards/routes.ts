import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../shell/root";

const dashboards = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission/d",
  validateSearch: (search: Record<string, unknown>): { q?: string } =>
    search.q === undefined || search.q === "" ? {} : { q: String(search.q) },
  component: lazyRouteComponent(() => import("./DashboardsPage"), "DashboardsPage"),
});

const dashboard = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission/d/$dashboard",
  validateSearch: (search: Record<string, unknown>): { edit?: boolean } =>
    search.edit === true ? { edit: true } : {},
  component: lazyRouteComponent(() => import("./DashboardPage"), "DashboardPage"),
});

export const dashboardsRoutes = [dashboards, dashboard] as const;
