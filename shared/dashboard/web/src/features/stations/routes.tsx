import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../shell/root";
import { nodesSearch, tabSearch } from "./search";

const nodes = createRoute({
  getParentRoute: () => root,
  path: "/nodes",
  validateSearch: nodesSearch,
  component: lazyRouteComponent(() => import("./StationsRoutes"), "NodesRoute"),
});

const node = createRoute({
  getParentRoute: () => root,
  path: "/nodes/$node",
  validateSearch: tabSearch,
  component: lazyRouteComponent(() => import("./StationsRoutes"), "NodeRoute"),
});

export const stationsRoutes = [nodes, node] as const;
