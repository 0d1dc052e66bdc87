import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { root } from "../../shell/root";
import { isSection } from "./sections";

const first = createRoute({
  getParentRoute: () => root,
  path: "/admin",
  beforeLoad: () => {
    throw redirect({ to: "/admin/$section", params: { section: "nodes" }, replace: true });
  },
});

const admin = createRoute({
  getParentRoute: () => root,
  path: "/admin/$section",
  validateSearch: (search: Record<string, unknown>): { mission?: string } =>
    typeof search.mission === "string" && search.mission !== "" ? { mission: search.mission } : {},
  beforeLoad: ({ params }) => {
    if (!isSection(params.section))
      throw redirect({ to: "/admin/$section", params: { section: "nodes" }, replace: true });
  },
  component: lazyRouteComponent(() => import("./AdminPage"), "AdminPage"),
});

export const adminRoutes = [first, admin] as const;
