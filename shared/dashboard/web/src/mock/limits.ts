// The limits of the first mock mission, which take changes and trials as the hub does, as far as the page shows it.
import type {
  Limits,
  LimitsChange,
  LimitsTrial,
  LimitsVersion,
  NewLimits,
  ParameterLimits,
  ParameterTrial,
} from "../types";
import { type MockRoute, problem, stateOf } from "./answers";
import type { MockWorld } from "./world";

type Range = ParameterLimits["contexts"][number]["ranges"][number];

const range = (severity: Range["severity"], low: number | null, high: number | null): Range => ({
  severity,
  low,
  high,
  holds_low: true,
  holds_high: true,
  is_of_bad_values: false,
});

function limited(parameter: string, source: ParameterLimits["source"], ranges: Range[]): ParameterLimits {
  const contexts = [{ context: null, ranges, labels: [] }];
  return { parameter, source, contexts, persistence: 1, hysteresis: 0, deadband: 0 };
}

const DICTIONARY = [
  limited("/aurora/thermal/tank_temperature", "dictionary", [
    range("warning", 5, 40),
    range("critical", 0, 50),
  ]),
  limited("/aurora/obc/cpu_load", "dictionary", [range("watch", null, 80)]),
];

interface Saved {
  version: LimitsVersion;
  overlay: ParameterLimits[];
}

export class MockLimits {
  readonly saved: Saved[] = [];

  constructor(private readonly world: MockWorld) {
    const battery = "/aurora/eps/battery_voltage";
    this.keep([limited(battery, "overlay", [range("warning", 26, 32)])], "first limits", "Ada", null);
    const ranges = [range("warning", 27, 31), range("critical", 25, 33)];
    this.keep([limited(battery, "overlay", ranges)], "eclipse season", "Kari", null);
  }

  get newest(): Saved | undefined {
    return this.saved.at(-1);
  }

  list(): Limits {
    const overlay = this.newest?.overlay ?? [];
    const replaced = new Set(overlay.map(({ parameter }) => parameter));
    return {
      at: new Date(this.world.now()).toISOString(),
      in_force: this.newest?.version.number ?? null,
      newest: this.newest?.version.number ?? null,
      bounds: "good",
      limits: [...overlay, ...DICTIONARY.filter(({ parameter }) => !replaced.has(parameter))],
      versions: this.saved.map(({ version }) => version).reverse(),
    };
  }

  put({ note, effective_from: from, content }: NewLimits, author: string): LimitsVersion {
    const overlay = new Map((this.newest?.overlay ?? []).map((one) => [one.parameter, one]));
    for (const change of content.kind === "changes" ? content.changes : []) {
      if (change.kind === "dictionary") overlay.delete(change.parameter);
      else overlay.set(change.parameter, overlaid(change));
    }
    return this.keep([...overlay.values()], note, author, from ?? null);
  }

  /** Judges a sample a minute. */
  try(changes: LimitsChange[], days: number): LimitsTrial {
    const to = this.world.now();
    const from = to - days * 86_400_000;
    const inForce = new Map(this.list().limits.map((one) => [one.parameter, one]));
    return {
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      is_cut: days > 7,
      parameters: changes.map((change) => ({
        parameter: change.parameter,
        samples: days * 1_440,
        judged_until: days > 7 ? new Date(from + 86_400_000).toISOString() : null,
        in_force: outcome(inForce.get(change.parameter), from, to),
        proposed: outcome(change.kind === "overlay" ? overlaid(change) : undefined, from, to),
      })),
    };
  }

  private keep(overlay: ParameterLimits[], note: string, author: string, from: string | null): LimitsVersion {
    const version: LimitsVersion = {
      number: this.saved.length + 1,
      effective_from: from,
      effective_to: null,
      imported_at: new Date(this.world.now() - (2 - this.saved.length) * 86_400_000).toISOString(),
      author,
      note,
    };
    this.saved.push({ version, overlay });
    return version;
  }
}

function overlaid(change: Extract<LimitsChange, { kind: "overlay" }>): ParameterLimits {
  return {
    parameter: change.parameter,
    source: "overlay",
    contexts: change.contexts.map(({ context, ranges }) => ({
      context: context ?? null,
      ranges: ranges.map(({ severity, low, high }) => range(severity, low ?? null, high ?? null)),
      labels: [],
    })),
    persistence: change.persistence ?? 1,
    hysteresis: change.hysteresis ?? 0,
    deadband: change.deadband ?? 0,
  };
}

/** The narrower the range, the more alarms: enough to see that two trials differ. */
function outcome(limits: ParameterLimits | undefined, from: number, to: number): ParameterTrial["proposed"] {
  const ranges = limits?.contexts.at(-1)?.ranges ?? [];
  const excursions = ranges.map(({ severity, low, high }) => {
    const width = typeof low === "number" && typeof high === "number" ? high - low : 10;
    return {
      severity,
      count: Math.max(1, Math.round(40 / Math.max(width, 1))),
      first: new Date(from + 3_600_000).toISOString(),
      last: new Date(to - 3_600_000).toISOString(),
      total_seconds: 1_260,
      worst: typeof high === "number" ? high + 0.4 : null,
    };
  });
  return { raised: excursions.reduce((sum, one) => sum + one.count, 0), excursions };
}

export const limitsStateOf = stateOf((world) => new MockLimits(world));

export const answerLimits: MockRoute = ({ world, path, method, body }) => {
  const [missions, mission, leaf, part] = path;
  if (missions !== "missions" || leaf !== "limits") return null;
  const state = limitsStateOf(world);
  if (mission !== "aurora-1") {
    const none = { in_force: null, newest: null, limits: [], versions: [] };
    return Response.json({ ...state.list(), ...none } satisfies Limits);
  }
  if (part === "trial") {
    const { changes, days } = JSON.parse(body ?? "{}");
    return Response.json(state.try(changes, days ?? 7));
  }
  if (method === "PUT") {
    const wanted: NewLimits = JSON.parse(body ?? "{}");
    const newest = state.newest?.version.number ?? null;
    return (wanted.based_on ?? null) === newest
      ? Response.json(state.put(wanted, "operator"))
      : problem(
          409,
          "STO-LIMITS-CONFLICT",
          "Somebody else changed the limits meanwhile",
          `version ${newest} is newer than the one these changes are based on`,
        );
  }
  if (part === undefined) return Response.json(state.list());
  const found = state.saved[Number(part) - 1];
  return found === undefined
    ? problem(404, "STO-LIMITS-UNKNOWN", "There is no such version of the limits", "Numbers are in the list.")
    : Response.json({
        version: found.version,
        file_name: "limits.toml",
        bounds: "good",
        text: "",
        limits: found.overlay,
      });
};
