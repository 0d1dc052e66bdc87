// The limits in force now, for charts and gauges. They decorate: where they cannot be had, values are still shown.
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { limitsQuery } from "../../api/limits";
import type { Limits, LimitsInContext, ParameterDescription } from "../../types";
import { type LimitSet, zonesOf } from "./zones";

/** Those that count where no condition holds: a condition is about values of the same packet, which is not known here. */
export function limitSetOf(
  contexts: readonly LimitsInContext[],
  parameter: ParameterDescription,
): LimitSet | null {
  if (contexts.length === 0) return null;
  const always = contexts.find(({ context }) => !context);
  const raw = new Map(parameter.labels.map(({ label, value }) => [label, value]));
  const states = (always?.labels ?? []).flatMap(({ label, severity }) => {
    const value = raw.get(label);
    return value === undefined ? [] : [[value, severity] as const];
  });
  return {
    zones: zonesOf(always?.ranges ?? []),
    states: new Map(states),
    isPartial: contexts.some(({ context }) => context),
  };
}

/** Looks a parameter's limits up; the same object as long as they are the same. */
export function useLimits(mission: string): (parameter: ParameterDescription) => LimitSet | null {
  const { data } = useQuery({ ...limitsQuery(mission), select: bySets });
  return useCallback((parameter) => data?.(parameter) ?? null, [data]);
}

function bySets({ limits }: Limits) {
  const contexts = new Map(limits.map((limit) => [limit.parameter, limit.contexts]));
  const sets = new Map<string, LimitSet | null>();
  return (parameter: ParameterDescription): LimitSet | null => {
    const { name } = parameter;
    const known = sets.get(name);
    if (known !== undefined) return known;
    const set = limitSetOf(contexts.get(name) ?? [], parameter);
    sets.set(name, set);
    return set;
  };
}
