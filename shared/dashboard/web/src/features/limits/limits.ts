// What limits are called on the page.
import { plural } from "../../format/quantity";
import type { AlarmSeverity, LimitsInContext, ParameterLimits } from "../../types";
import { number, SEVERITIES } from "../alarms/alarm";

type Range = LimitsInContext["ranges"][number];

/** `24 … 32`, `below 32`; of a range of bad values `not 5 … 6`. */
export function rangeText({ low, high, is_of_bad_values: isOfBad }: Range): string {
  const text =
    typeof low === "number" && typeof high === "number"
      ? `${number(low)} … ${number(high)}`
      : typeof low === "number"
        ? `from ${number(low)}`
        : typeof high === "number"
          ? `up to ${number(high)}`
          : "not limited";
  return isOfBad ? `not ${text}` : text;
}

/** The limits of one severity where no context is asked for, or else in the first context. */
export function usualRange(limits: ParameterLimits | undefined, severity: AlarmSeverity): Range | undefined {
  const usual = limits?.contexts.find(({ context }) => !context) ?? limits?.contexts[0];
  return usual?.ranges.find((range) => range.severity === severity);
}

/** All that a parameter's limits say, for comparing two versions. */
export function limitsText(limits: ParameterLimits | undefined): string {
  if (limits === undefined) return "as the dictionary says";
  const contexts = limits.contexts.map((one) => {
    const ranges = one.ranges
      .toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))
      .map((range) => `${range.severity} ${rangeText(range)}`);
    const labels = one.labels.map(({ label, severity }) => `${severity} when ${label}`);
    const all = [...ranges, ...labels];
    return `${one.context ? `while ${one.context}: ` : ""}${all.length === 0 ? "every value is good" : all.join(", ")}`;
  });
  return [...contexts, ...monitoringTexts(limits)].join("; ");
}

function monitoringTexts({ persistence, hysteresis, deadband }: ParameterLimits): string[] {
  return [
    ...(persistence > 1 ? [`after ${plural(persistence, "violation")}`] : []),
    ...(hysteresis > 0 ? [`hysteresis ${number(hysteresis)}`] : []),
    ...(deadband > 0 ? [`deadband ${number(deadband)}`] : []),
  ];
}

export interface Difference {
  parameter: string;
  before: string;
  after: string;
}

/** What differs between two sets of limits, by parameter. */
export function differences(
  before: readonly ParameterLimits[],
  after: readonly ParameterLimits[],
): Difference[] {
  const old = new Map(before.map((one) => [one.parameter, one]));
  const now = new Map(after.map((one) => [one.parameter, one]));
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort()
    .map((parameter) => ({
      parameter,
      before: limitsText(old.get(parameter)),
      after: limitsText(now.get(parameter)),
    }))
    .filter((one) => one.before !== one.after);
}
