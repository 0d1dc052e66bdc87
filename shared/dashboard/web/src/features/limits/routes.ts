import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../shell/root";
import { readLimitsSearch } from "./search";

const limits = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission/limits",
  validateSearch: readLimitsSearch,
  component: lazyRouteComponent(() => import("./LimitsPage"), "LimitsPage"),
});

export const limitsRoutes = [limits] as const;
