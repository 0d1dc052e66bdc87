// The detection rules of the first mock mission.
import type { DetectionRule, DetectionRules, DetectionRulesInForce, RulesProblem } from "../types";
import { stateOf } from "./answers";
import { documentVersion, MockVersions, mistakes } from "./rulesDocument";
import type { MockWorld } from "./world";

const FIRST_DETECTION = `version = 1

# The battery, in each mode of the spacecraft.
[[watch]]
parameters = ["/aurora/eps/battery_*"]
severity = "warning"
mode = "/aurora/adcs/mode"

[[watch.suite.detectors]]
method.autoregression = {}

[[watch.suite.detectors]]
method.range = { margin = 0.1 }
persistence = 50
hold = 100
rearm = 1000
`;

class MockDetectionRules extends MockVersions {
  constructor(world: MockWorld) {
    super(world, unlistedParameters);
    this.save(FIRST_DETECTION, "the battery first", "Ada");
  }

  list(): DetectionRules {
    return { in_force: readDetectionRules(this.newest.text), versions: this.versions };
  }
}

export const detectionRulesOf = stateOf((world) => new MockDetectionRules(world));

function unlistedParameters(text: string): RulesProblem[] {
  return mistakes(text, /^parameters = [^[\s]/, 14, "expected a list");
}

/** Settings of the detectors that the mock's documents name. */
const SETTINGS: Record<string, Record<string, number>> = {
  autoregression: { inputs: 0, order: 32, "residual.floor_factor": 2, "residual.span": 20, ridge: 0.1 },
  flat_line: { factor: 2, samples_min: 30, tolerance: 0 },
  range: { margin: 0.1, margin_min: 0 },
  stale: { factor: 3 },
};
const DEFAULT_SUITE = "autoregression range flat_line stale"
  .split(" ")
  .map((name) => `method.${name} = {}`)
  .join("\n");

export function readDetectionRules(text: string): DetectionRulesInForce {
  const [head = "", ...sections] = text.split(/^\[\[watch\]\]\n/m);
  let line = head.split("\n").length;
  const rules = sections.flatMap((section) => {
    const rule = readWatch(section, line);
    line += section.split("\n").length;
    return rule === null ? [] : [rule];
  });
  return { document_version: documentVersion(text), rules, problems: unlistedParameters(text) };
}

function readWatch(section: string, line: number): DetectionRule | null {
  const parameters = /^parameters = (\[.*\])$/m.exec(section)?.[1];
  if (parameters === undefined) return null;
  const number = (part: string, name: string, absent: number) =>
    Number(new RegExp(`^${name} = (\\d+)`, "m").exec(part)?.[1] ?? absent);
  const said = section.split(/^(?=method\.)/m).slice(1);
  const detectors = (said.length > 0 ? said : DEFAULT_SUITE.split("\n")).map((part) => {
    const detector = /^method\.(\w+)/.exec(part)?.[1] ?? "";
    const settings = { ...SETTINGS[detector] };
    for (const [, name, value] of part.matchAll(/(\w+) = ([\d.]+)[ ,}]/g))
      settings[name ?? ""] = Number(value);
    return {
      detector,
      settings,
      persistence: number(part, "persistence", 1),
      hold: number(part, "hold", 0),
      rearm: number(part, "rearm", 1),
    };
  });
  return {
    line,
    parameters: JSON.parse(parameters),
    severity: (/^severity = "(\w+)"/m.exec(section)?.[1] ?? "warning") as DetectionRule["severity"],
    mode: /^mode = "([^"]+)"/m.exec(section)?.[1] ?? null,
    training_fit: 1000,
    training_calibrate: 500,
    gap_max_s: null,
    merge_within: 100,
    linger: 20,
    detectors,
  };
}
