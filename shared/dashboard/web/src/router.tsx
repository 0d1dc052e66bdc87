// The pages. What their addresses hold stands in each feature's `routes`.
import { createRouter, type RouterHistory } from "@tanstack/react-router";
import { adminRoutes } from "./features/admin/routes";
import { alarmsRoutes } from "./features/alarms/routes";
import { completenessRoutes } from "./features/completeness/routes";
import { dashboardsRoutes } from "./features/dashboards/routes";
import { eventsRoutes } from "./features/events/routes";
import { exploreRoutes } from "./features/explore/routes";
import { fleetRoutes } from "./features/fleet/routes";
import { helpRoutes } from "./features/help/routes";
import { limitsRoutes } from "./features/limits/routes";
import { orbitRoutes } from "./features/orbit/routes";
import { overviewRoutes } from "./features/overview/routes";
import { packetsRoutes } from "./features/packets/routes";
import { parametersRoutes } from "./features/parameters/routes";
import { passesRoutes } from "./features/passes/routes";
import { rulesRoutes } from "./features/rules/routes";
import { stationsRoutes } from "./features/stations/routes";
import { root } from "./shell/root";

const routeTree = root.addChildren([
  ...adminRoutes,
  ...alarmsRoutes,
  ...completenessRoutes,
  ...dashboardsRoutes,
  ...eventsRoutes,
  ...exploreRoutes,
  ...fleetRoutes,
  ...helpRoutes,
  ...limitsRoutes,
  ...orbitRoutes,
  ...overviewRoutes,
  ...packetsRoutes,
  ...parametersRoutes,
  ...passesRoutes,
  ...rulesRoutes,
  ...stationsRoutes,
]);

export function createAppRouter(history?: RouterHistory) {
  return createRouter({ routeTree, ...(history ? { history } : {}), defaultPreload: false });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
