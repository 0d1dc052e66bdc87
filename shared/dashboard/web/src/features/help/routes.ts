import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../shell/root";

const help = createRoute({
  getParentRoute: () => root,
  path: "/help/$",
  component: lazyRouteComponent(() => import("./HelpPage"), "HelpPage"),
});

export const helpRoutes = [help] as const;
