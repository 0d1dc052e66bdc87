// Detection rules as they are read, and a new one as text that is added to a document.
import type { DetectionRule, ParameterDescription, RuleDetector } from "../../types";
import { added } from "./document";
import { quoted } from "./toml";

/** Detectors run on numbers only. */
const NUMERIC: ReadonlySet<string> = new Set(["float", "integer"]);

/** How many parameters each rule watches: the first rule that names a parameter counts. */
export function watched(
  rules: readonly DetectionRule[],
  parameters: readonly Pick<ParameterDescription, "kind" | "name">[],
): number[] {
  const counts = rules.map(() => 0);
  const fits = rules.map((rule) => rule.parameters.map(matcher));
  for (const { kind, name } of parameters) {
    if (!NUMERIC.has(kind)) continue;
    const index = fits.findIndex((patterns) => patterns.some((matches) => matches(name)));
    if (index >= 0) counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}

/** `*` stands for any run of characters, as at the server. */
function matcher(pattern: string): (name: string) => boolean {
  const [start = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return (name) => name === pattern;
  const end = rest.pop() ?? "";
  return (name) => {
    if (!name.startsWith(start)) return false;
    let at = start.length;
    for (const part of rest) {
      const found = name.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return name.length - end.length >= at && name.endsWith(end);
  };
}

/** `order 32, inputs 0`; settings of a setting's own are told apart by `nested`. */
export function settingsText({ settings }: RuleDetector, nested: boolean): string {
  return Object.entries(settings)
    .filter(([name]) => name.includes(".") === nested)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}

/** When a detector's findings count; empty where each counts at once and only then. */
export function countingText({ persistence, hold, rearm }: RuleDetector): string {
  const parts = [
    persistence > 1 ? `after ${persistence} in a row` : "",
    hold > 0 ? `held for ${hold}` : "",
    rearm > 1 ? `again after ${rearm} usual ones` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** Detectors that a new rule can be given; their settings are those of the server, and changed in the text. */
export const DETECTORS = [
  "autoregression",
  "change",
  "flat_line",
  "hampel",
  "likelihood",
  "range",
  "rate_of_change",
  "recursive",
  "seasonal",
  "spread",
  "stale",
  "z_score",
] as const;

export interface NewWatch {
  parameters: readonly string[];
  severity: string;
  /** Empty: no mode. */
  mode: string;
  /** Empty: the default suite. */
  detectors: readonly string[];
}

/** The document with a rule more; all that stands in it stays as it is, comments too. */
export function withWatch(text: string, watch: NewWatch): string {
  return added(text, [
    "[[watch]]",
    `parameters = [${watch.parameters.map(quoted).join(", ")}]`,
    `severity = ${quoted(watch.severity)}`,
    ...(watch.mode === "" ? [] : [`mode = ${quoted(watch.mode)}`]),
    ...watch.detectors.flatMap((detector) => ["", "[[watch.suite.detectors]]", `method.${detector} = {}`]),
  ]);
}
