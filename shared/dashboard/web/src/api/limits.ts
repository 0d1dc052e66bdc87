// Questions about the limits of parameters, and changes of them.
import { queryOptions } from "@tanstack/react-query";
import type { Limits, LimitsChange, LimitsDocument, LimitsTrial, LimitsVersion, NewLimits } from "../types";
import { missionPath, request } from "./client";

export function limitsQuery(mission: string) {
  return queryOptions({
    queryKey: ["limits", mission],
    queryFn: () => request<Limits>("GET", missionPath(mission, "limits")),
    staleTime: 0,
    refetchInterval: 60_000,
  });
}

/** A version never changes. */
export function limitsDocumentQuery(mission: string, number: number) {
  return queryOptions({
    queryKey: ["limits-document", mission, number],
    queryFn: () => request<LimitsDocument>("GET", missionPath(mission, `limits/${number}`)),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function putLimits(mission: string, wanted: NewLimits): Promise<LimitsVersion> {
  return request("PUT", missionPath(mission, "limits"), wanted);
}

export function tryLimits(mission: string, changes: LimitsChange[], days: number): Promise<LimitsTrial> {
  return request("POST", missionPath(mission, "limits/trial"), { changes, days });
}
