// The descriptions of a widget's parameters, and which of its names the dictionary does not know.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { parametersQuery } from "../../../api/queries";
import type { ParameterDescription } from "../../../types";

export interface Descriptions {
  known: readonly ParameterDescription[];
  unknown: readonly string[];
  pending: boolean;
  /** Why there are none; `null` while nothing failed. */
  error: unknown;
  retry: () => void;
}

function byName(parameters: readonly ParameterDescription[]): ReadonlyMap<string, ParameterDescription> {
  return new Map(parameters.map((parameter) => [parameter.name, parameter]));
}

export function useDescriptions(mission: string, names: readonly string[]): Descriptions {
  const { data, error, isError, refetch } = useQuery({ ...parametersQuery(mission), select: byName });
  return useMemo(
    () => ({
      known: names.flatMap((name) => data?.get(name) ?? []),
      unknown: data === undefined ? [] : names.filter((name) => !data.has(name)),
      pending: data === undefined && !isError,
      error: data === undefined ? error : null,
      retry: () => void (isError && refetch()),
    }),
    [data, error, isError, refetch, names],
  );
}
