import { createRoute } from "@tanstack/react-router";
import { lazy } from "react";
import { root } from "../../shell/root";

const OrbitPage = lazy(async () => ({ default: (await import("./OrbitPage")).OrbitPage }));

const orbit = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission/orbit",
  validateSearch: (search: Record<string, unknown>): { view?: "map" } =>
    search.view === "map" ? { view: "map" } : {},
  component: function Orbit() {
    const { mission } = orbit.useParams();
    const { view } = orbit.useSearch();
    const navigate = orbit.useNavigate();
    return (
      <OrbitPage
        mission={mission}
        flat={view === "map"}
        onFlat={(flat) =>
          void navigate({ search: ({ view: _, ...old }) => ({ ...old, ...(flat ? { view: "map" } : {}) }) })
        }
      />
    );
  },
});

export const orbitRoutes = [orbit] as const;
