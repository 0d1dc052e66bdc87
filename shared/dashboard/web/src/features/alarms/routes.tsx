import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../shell/root";
import { readSearch } from "./filters";

const all = createRoute({
  getParentRoute: () => root,
  path: "/alarms",
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import("./AlarmRoutes"), "AllAlarms"),
});

const ofMission = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission/alarms",
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import("./AlarmRoutes"), "MissionAlarms"),
});

export const alarmsRoutes = [all, ofMission] as const;
