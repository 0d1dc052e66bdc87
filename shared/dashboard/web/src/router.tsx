// The pages and what their addresses hold.
import {
  createRootRoute,
  createRoute,
  createRouter,
  Outlet,
  type RouterHistory,
  redirect,
} from "@tanstack/react-router";
import { createContext, lazy, Suspense, use } from "react";
import { AlarmsPage } from "./features/alarms/AlarmsPage";
import { FirstMission } from "./features/parameters/FirstMission";
import { ParametersPage } from "./features/parameters/ParametersPage";
import { isRange, type Range } from "./features/plot/range";
import { StationsPage } from "./features/stations/StationsPage";
import { parseTime } from "./format/time";
import { Failure, Loading } from "./shell/Notice";
import { Shell } from "./shell/Shell";
import type { Session } from "./types";

export interface LoggedIn {
  session: Session;
  onLogOut: () => void;
}

export const LoggedInContext = createContext<LoggedIn | null>(null);

function useLoggedIn(): LoggedIn {
  const loggedIn = use(LoggedInContext);
  if (loggedIn === null) throw new Error("pages need a LoggedInContext above them");
  return loggedIn;
}

const root = createRootRoute({
  component: () => (
    <Shell {...useLoggedIn()}>
      <Outlet />
    </Shell>
  ),
  notFoundComponent: () => (
    <p className="empty">There is no such page. Choose one from the navigation above.</p>
  ),
  errorComponent: ({ error }) => <Failure error={error} />,
});

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/stations", replace: true });
  },
});

const stations = createRoute({
  getParentRoute: () => root,
  path: "/stations",
  component: () => <StationsPage server={useLoggedIn().session.server.kind} />,
});

const missions = createRoute({
  getParentRoute: () => root,
  path: "/m",
  component: () => <FirstMission to="/m/$mission" />,
});

const firstAlarms = createRoute({
  getParentRoute: () => root,
  path: "/alarms",
  component: () => <FirstMission to="/alarms/$mission" />,
});

const alarms = createRoute({
  getParentRoute: () => root,
  path: "/alarms/$mission",
  validateSearch: (search: Record<string, unknown>): { alarm?: string } =>
    typeof search.alarm === "string" ? { alarm: search.alarm } : {},
  component: function Alarms() {
    const { mission } = alarms.useParams();
    const { alarm } = alarms.useSearch();
    const navigate = alarms.useNavigate();
    return (
      <AlarmsPage
        mission={mission}
        selected={alarm ?? null}
        mayAct={useLoggedIn().session.role === "operator"}
        onSelect={(next) => void navigate({ search: next === null ? {} : { alarm: next } })}
        onMission={(name) => void navigate({ to: "/alarms/$mission", params: { mission: name }, search: {} })}
      />
    );
  },
});

const parameters = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission",
  validateSearch: (search: Record<string, unknown>): { q?: string } =>
    search.q === undefined || search.q === "" ? {} : { q: String(search.q) },
  component: function Parameters() {
    const { mission } = parameters.useParams();
    const { q } = parameters.useSearch();
    const navigate = parameters.useNavigate();
    return (
      <ParametersPage
        mission={mission}
        search={q ?? ""}
        onSearch={(text) => void navigate({ search: { q: text }, replace: true })}
        onMission={(name) => void navigate({ to: "/m/$mission", params: { mission: name }, search: {} })}
      />
    );
  },
});

// The chart library is loaded with the first plot.
const PlotPage = lazy(async () => ({ default: (await import("./features/plot/PlotPage")).PlotPage }));

interface PlotSearch {
  parameter: string;
  range: Range;
  /** RFC 3339 end of a fixed window; absent follows the present. */
  end?: string;
}

const plot = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission/p",
  validateSearch: (search: Record<string, unknown>): PlotSearch => ({
    parameter: String(search.parameter ?? ""),
    range: isRange(search.range) ? search.range : "15m",
    ...(typeof search.end === "string" && !Number.isNaN(parseTime(search.end)) ? { end: search.end } : {}),
  }),
  component: function Plot() {
    const { mission } = plot.useParams();
    const { parameter, range, end } = plot.useSearch();
    const navigate = plot.useNavigate();
    return (
      <Suspense fallback={<Loading what="chart" />}>
        <PlotPage
          mission={mission}
          parameter={parameter}
          range={range}
          end={end === undefined ? null : parseTime(end)}
          onRange={(next: Range) => void navigate({ search: (old) => ({ ...old, range: next }) })}
          onEnd={(next: number | null) =>
            void navigate({
              search: (old) => ({
                parameter: old.parameter,
                range: old.range,
                ...(next === null ? {} : { end: new Date(next).toISOString() }),
              }),
            })
          }
        />
      </Suspense>
    );
  },
});

const routeTree = root.addChildren([home, stations, missions, firstAlarms, alarms, parameters, plot]);

export function createAppRouter(history?: RouterHistory) {
  return createRouter({ routeTree, ...(history ? { history } : {}), defaultPreload: false });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
