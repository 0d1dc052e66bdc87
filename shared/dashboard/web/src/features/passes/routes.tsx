import { createRoute } from "@tanstack/react-router";
import { lazy } from "react";
import { root } from "../../shell/root";
import type { LaneBy } from "./pass";

const PassesPage = lazy(async () => ({ default: (await import("./PassesPage")).PassesPage }));

interface PassesSearch {
  by?: LaneBy;
  pass?: string;
}

const passes = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission/passes",
  validateSearch: (search: Record<string, unknown>): PassesSearch => ({
    ...(search.by === "spacecraft" ? { by: search.by } : {}),
    ...(typeof search.pass === "string" ? { pass: search.pass } : {}),
  }),
  component: function PassesOf() {
    const { mission } = passes.useParams();
    const { by, pass } = passes.useSearch();
    const navigate = passes.useNavigate();
    return (
      <PassesPage
        mission={mission}
        by={by ?? "station"}
        selected={pass ?? null}
        onBy={(next) =>
          void navigate({
            search: ({ by: _, ...old }) => ({ ...old, ...(next === "station" ? {} : { by: next }) }),
          })
        }
        onSelect={(next) =>
          void navigate({
            search: ({ pass: _, ...old }) => ({ ...old, ...(next === null ? {} : { pass: next }) }),
          })
        }
      />
    );
  },
});

export const passesRoutes = [passes] as const;
