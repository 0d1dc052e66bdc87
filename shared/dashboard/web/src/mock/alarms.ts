// Alarms of the mock missions, and the routes that list them and act on them.
import type { Alarm, Alarms } from "../types";
import { MockAlarms } from "./alarmState";
import { type MockRoute, problem, stateOf } from "./answers";
import type { MockWorld } from "./world";

const hex = (digit: number) => `a${digit.toString(16).repeat(31)}`;
/** The first mission has alarms. */
const MISSION = "aurora-1";

/** All alarms of the mock, by mission; tests raise more. */
export const alarmStateOf = stateOf((world) => {
  const now = () => world.now();
  const first = new MockAlarms(now);
  const group: Alarm["group"] = {
    kind: "related",
    relation: "power",
    first_out: hex(1),
    members: 2,
    severity: "critical",
  };
  first.raise({ id: hex(1), parameter: "/aurora/eps/bus_voltage", severity: "warning", minutes: 12, group });
  first.raise({
    id: hex(2),
    parameter: "/aurora/eps/battery_voltage",
    severity: "critical",
    minutes: 11,
    worst: 22.8,
    group,
  });
  first.raise({ id: hex(3), parameter: "/aurora/thermal/tank_temperature", severity: "watch", minutes: 90 });
  first.raise({
    id: hex(4),
    parameter: "/aurora/adcs/wheel_1_speed",
    severity: "warning",
    minutes: 340,
    detector: "forecast",
    cause: { seen: 2412, expected: 2140.6, threshold: 4.5, score: 6.82, model: "forecaster 3" },
    late: true,
  });
  const state = new Map([
    [MISSION, first],
    ["kestrel", new MockAlarms(now)],
  ]);
  if (world.options.flood) flood(first);
  return state;
});

/** What the live stream brings of a mission: alarms that are open, and those that were. */
export function alarmsOf(world: MockWorld, mission: string): Alarm[] {
  const histories = alarmStateOf(world).get(mission)?.histories ?? [];
  return histories.map(({ alarm }) => alarm).filter((alarm) => !alarm.is_retrospective);
}

/** What one would not want to see at night: a station's link with all that hangs on it, and odd names. */
function flood(alarms: MockAlarms): void {
  const severities = ["severe", "critical", "distress", "warning", "watch"] as const;
  for (let n = 0; n < 32; n += 1)
    alarms.raise({
      parameter: `/aurora/adcs/wheel_${n + 1}_current`,
      severity: severities[n % severities.length] ?? "watch",
      minutes: 9 - n / 4,
      group: {
        kind: "flood",
        relation: null,
        first_out: (1 + 4).toString(16).padStart(32, "0"),
        members: 32,
        severity: "severe",
      },
    });
  alarms.raise({
    parameter: "/aurora/payload/spectrometer_temperature",
    severity: "distress",
    minutes: 4,
    detector: "forecast",
    cause: { seen: -41.22, expected: -38.9, threshold: 4.5, score: 7.31, model: "forecaster 3" },
  });
  alarms.raise({
    parameter: "baseband-b",
    severity: "warning",
    minutes: 3,
    detector: "link",
    node: "kiruna-1",
  });
  alarms.raise({
    parameter: `/aurora/${"very_long_subsystem/".repeat(15)}<b>temperature</b>\u202e_gnol`,
    severity: "watch",
    minutes: 7,
  });
}

export const answerAlarms: MockRoute = ({ world, url, path, method, body }) => {
  const [missions, mission, alarms, id, acts] = path;
  if (missions !== "missions" || alarms !== "alarms" || path.length > 5) return null;
  const state = alarmStateOf(world).get(mission ?? "");
  if (state === undefined)
    return problem(
      404,
      "STO-ALARM-NONE",
      "This server looks after no alarms of the mission",
      "None is known.",
    );
  if (id === undefined) return Response.json(list(state, url.searchParams));
  if (id === "acknowledge" && method === "POST")
    return Response.json(state.acknowledge(JSON.parse(body ?? "{}")));
  const history = state.find(id);
  if (history === undefined)
    return problem(404, "STO-ALARM-UNKNOWN", "There is no such alarm", "Ids are in the list of alarms.");
  const refused = acts === undefined ? null : state.act(history, JSON.parse(body ?? "{}"));
  if (refused !== null) return problem(409, refused.code, "The alarm does not take this act", refused.detail);
  const climbs = world.options.kind !== "edge";
  return Response.json(climbs ? { ...history, escalation: state.escalation(history) } : history);
};

function list(state: MockAlarms, search: URLSearchParams): Alarms {
  const limit = Number(search.get("limit") ?? 100);
  const begin = Number(search.get("cursor") ?? 0);
  const wanted = search.get("open") === "false" ? state.closed : state.open;
  return {
    alarms: wanted.slice(begin, begin + limit),
    next: wanted.length > begin + limit ? String(begin + limit) : null,
    open: state.open.length,
    left_out: 0,
  };
}
