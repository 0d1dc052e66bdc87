// The descriptions of a widget's parameters, and which of its names the dictionary does not know.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { parametersQuery } from "../../../api/queries";
import type { ParameterDescription } from "../../../types";

export interface Descriptions {
  known: readonly ParameterDescription[];
  unknown: readonly string[];
  pending: boolean;
}

function byName(parameters: readonly ParameterDescription[]): ReadonlyMap<string, ParameterDescription> {
  return new Map(parameters.map((parameter) => [parameter.name, parameter]));
}

export function useDescriptions(mission: string, names: readonly string[]): Descriptions {
  const { data } = useQuery({ ...parametersQuery(mission), select: byName });
  return useMemo(
    () => ({
      known: names.flatMap((name) => data?.get(name) ?? []),
      unknown: data === undefined ? [] : names.filter((name) => !data.has(name)),
      pending: data === undefined,
    }),
    [data, names],
  );
}
