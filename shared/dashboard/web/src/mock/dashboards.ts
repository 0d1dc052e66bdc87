// Dashboards in memory that merge changes per widget as the server does, as far as a page shows it.
import type {
  Dashboard,
  DashboardChange,
  DashboardSummary,
  DashboardWidget,
  NewDashboard,
  Widget,
} from "../types";
import { type MockRequest, type MockRoute, problem, stateOf } from "./answers";

/** What somebody else does in tests and by hand: `window.mock` is the world. */
export class MockDashboards {
  readonly kept = new Map<string, Dashboard>();
  /** Number of the change that last put each widget: what a base has not seen is put beside it. */
  private readonly putAt = new Map<string, number>();
  private readonly done = new Set<string>();
  private count = 0;

  constructor(readonly now: () => number) {}

  keep(dashboard: Dashboard): Dashboard {
    this.count += 1;
    const kept = { ...dashboard, heads: `h${this.count}`, changed_at: new Date(this.now()).toISOString() };
    this.kept.set(dashboard.id, kept);
    return kept;
  }

  create({ id, title, widgets, audience }: NewDashboard, author: string): Dashboard {
    return this.keep({
      id,
      title,
      author,
      audience: audience ?? "author",
      heads: "",
      changed_at: "",
      changed_by: author,
      widgets: widgets.map((widget) => ({ id: widget.id, copies: [this.copy(widget, author)] })),
    });
  }

  change(dashboard: Dashboard, change: DashboardChange, by: string): Dashboard {
    if (this.done.has(change.id)) return dashboard;
    this.done.add(change.id);
    const seen = Number(change.base.slice(1));
    let widgets = dashboard.widgets.filter(
      ({ id }) => !change.remove?.includes(id) || this.changedSince(dashboard.id, id, seen),
    );
    for (const widget of change.put ?? []) widgets = this.put(dashboard.id, widgets, widget, seen, by);
    const kept = this.keep({
      ...dashboard,
      title: change.title ?? dashboard.title,
      audience: change.audience ?? dashboard.audience,
      changed_by: by,
      widgets,
    });
    for (const { id } of change.put ?? []) this.putAt.set(`${dashboard.id} ${id}`, this.count);
    return kept;
  }

  private put(dashboard: string, widgets: DashboardWidget[], widget: Widget, seen: number, by: string) {
    const known = widgets.find(({ id }) => id === widget.id);
    const beside = this.changedSince(dashboard, widget.id, seen) ? (known?.copies ?? []) : [];
    const put = { id: widget.id, copies: [this.copy(widget, by), ...beside] };
    return [...widgets.filter(({ id }) => id !== widget.id), put].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  private changedSince(dashboard: string, widget: string, seen: number): boolean {
    return (this.putAt.get(`${dashboard} ${widget}`) ?? 0) > seen;
  }

  private copy(widget: Widget, author: string) {
    return { widget, author, at: new Date(this.now()).toISOString() };
  }
}

export const DEMO = "01jdq2demo0power0page";

const dashboardsOf = stateOf((world) => {
  const dashboards = new MockDashboards(() => world.now());
  dashboards.create(
    { id: DEMO, title: "Power and attitude", audience: "operators", widgets: demo() },
    "kari",
  );
  return dashboards;
});

export function mockDashboards(world: MockRequest["world"]): MockDashboards {
  return dashboardsOf(world);
}

/** Dashboards are of the first mission. */
export const answerDashboards: MockRoute = ({ world, method, path, body }) => {
  const [missions, mission, word, id, leaf] = path;
  if (missions !== "missions" || word !== "dashboards" || path.length > 5) return null;
  const dashboards = dashboardsOf(world);
  const by = world.session().principal;
  const isFirst = mission === "aurora-1";
  const isViewer = world.session().role !== "operator";
  if (method !== "GET" && isViewer)
    return problem(403, "STO-API-FORBIDDEN", "You may not do this", "Viewers keep no dashboards.");
  if (id === undefined && method === "GET")
    return Response.json({ dashboards: isFirst ? [...dashboards.kept.values()].map(summary) : [] });
  if (id === undefined) return Response.json(dashboards.create(JSON.parse(body ?? "{}"), by));
  const known = dashboards.kept.get(id);
  if (known === undefined || !isFirst)
    return problem(
      404,
      "STO-DASHBOARD-UNKNOWN",
      "There is no such dashboard",
      "Ids are in the list of dashboards.",
    );
  if (method === "DELETE") {
    dashboards.kept.delete(id);
    return new Response(null, { status: 204 });
  }
  if (leaf === "changes") return Response.json(dashboards.change(known, JSON.parse(body ?? "{}"), by));
  if (leaf === "export") return Response.json(file(known));
  return Response.json(known);
};

function summary({ widgets, heads: _, ...dashboard }: Dashboard): DashboardSummary {
  return {
    ...dashboard,
    widgets: widgets.length,
    conflicts: widgets.filter((widget) => widget.copies.length > 1).length,
  };
}

function file({ title, widgets }: Dashboard) {
  return {
    format: "sto-dashboard",
    version: 1,
    title,
    widgets: widgets.flatMap((widget) => widget.copies[0]?.widget ?? []),
  };
}

function demo(): Widget[] {
  const eps = (name: string) => `/aurora/eps/${name}`;
  const widget = (
    id: string,
    kind: string,
    place: [number, number, number, number],
    opts: Widget["opts"],
  ) => {
    const [x, y, w, h] = place;
    return { id, kind, x, y, w, h, opts };
  };
  return [
    widget("volts", "line-plot", [0, 0, 12, 9], {
      title: "Battery",
      parameters: [eps("battery_voltage"), eps("battery_current")],
    }),
    widget("temperatures", "line-plot", [12, 0, 12, 9], {
      parameters: ["/aurora/thermal/panel_x_temperature", "/aurora/thermal/tank_temperature"],
    }),
    widget("bus", "value", [0, 9, 6, 5], { parameters: [eps("battery_voltage")] }),
    widget("power", "gauge", [6, 9, 6, 5], { parameters: [eps("solar_array_power")], low: 0, high: 900 }),
    widget("modes", "state-timeline", [12, 9, 12, 5], {
      parameters: ["/aurora/adcs/mode", eps("battery_state"), eps("heater_on")],
    }),
    widget("phase", "scatter", [0, 14, 8, 9], {
      parameters: [eps("battery_current"), eps("battery_voltage")],
    }),
    widget("matrix", "status-matrix", [8, 14, 8, 9], {
      parameters: [
        "/aurora/adcs/wheel_1_speed",
        "/aurora/adcs/wheel_2_speed",
        "/aurora/adcs/rate_x",
        "/aurora/adcs/rate_y",
        "/aurora/obc/cpu_load",
        "/aurora/comms/lock",
        "/aurora/comms/rssi",
        "/aurora/thermal/tank_temperature",
      ],
    }),
    widget("latest", "latest-values", [16, 14, 8, 9], {
      parameters: [
        "/aurora/adcs/rate_x",
        "/aurora/adcs/rate_y",
        "/aurora/adcs/rate_z",
        "/aurora/obc/cpu_load",
      ],
    }),
    widget("alarms", "alarms", [0, 23, 12, 7], {}),
    widget("events", "events", [12, 23, 8, 7], {}),
    widget("map", "map", [0, 30, 12, 9], { title: "Stations" }),
    widget("note", "text", [20, 23, 4, 7], {
      text: "Eclipse begins at 13:04Z.\n\nHeater stays on until the battery is above 5 °C.",
    }),
  ];
}
