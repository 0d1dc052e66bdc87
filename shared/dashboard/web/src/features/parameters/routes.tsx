import { createRoute, redirect } from "@tanstack/react-router";
import { root } from "../../shell/root";
import { FirstMission } from "./FirstMission";
import { ParametersPage } from "./ParametersPage";

interface ParametersSearch {
  q?: string;
  /** Full paths of the parameters that are selected for Explore. */
  pick?: string[];
}

const NONE: readonly string[] = [];

const missions = createRoute({
  getParentRoute: () => root,
  path: "/m",
  component: FirstMission,
});

const mission = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/m/$mission/parameters", params, replace: true });
  },
});

const parameters = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission/parameters",
  validateSearch: (search: Record<string, unknown>): ParametersSearch => ({
    ...(search.q === undefined || search.q === "" ? {} : { q: String(search.q) }),
    ...(Array.isArray(search.pick) && search.pick.length > 0 ? { pick: search.pick.map(String) } : {}),
  }),
  component: function Parameters() {
    const { mission } = parameters.useParams();
    const { q, pick } = parameters.useSearch();
    const navigate = parameters.useNavigate();
    return (
      <ParametersPage
        mission={mission}
        search={q ?? ""}
        picked={pick ?? NONE}
        onSearch={(text) => void navigate({ search: (old) => ({ ...old, q: text }), replace: true })}
        onPicked={(names) => void navigate({ search: (old) => ({ ...old, pick: names }), replace: true })}
      />
    );
  },
});

export const parametersRoutes = [missions, mission, parameters] as const;
