import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../shell/root";
import { fleetSearch } from "./search";

const fleet = createRoute({
  getParentRoute: () => root,
  path: "/fleet",
  validateSearch: fleetSearch,
  component: lazyRouteComponent(() => import("./FleetRoute"), "FleetRoute"),
});

export const fleetRoutes = [fleet] as const;
