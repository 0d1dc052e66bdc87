// Questions about what decides about alarms: the rules document of a mission, and its detection models.
import { queryOptions } from "@tanstack/react-query";
import type { AlarmRules, DetectionModels, RulesDocument, RulesVersion } from "../types";
import { missionPath, request } from "./client";

export function rulesQuery(mission: string) {
  return queryOptions({
    queryKey: ["rules", mission],
    queryFn: () => request<AlarmRules>("GET", missionPath(mission, "alarm-rules")),
    staleTime: 0,
    refetchInterval: 30_000,
  });
}

/** A version never changes. */
export function rulesDocumentQuery(mission: string, number: number) {
  return queryOptions({
    queryKey: ["rules-document", mission, number],
    queryFn: () => request<RulesDocument>("GET", missionPath(mission, `alarm-rules/${number}`)),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function putRules(mission: string, text: string, reason: string): Promise<RulesVersion> {
  return request("PUT", missionPath(mission, "alarm-rules"), { text, reason });
}

export function modelsQuery(mission: string) {
  return queryOptions({
    queryKey: ["models", mission],
    queryFn: async () => (await request<DetectionModels>("GET", missionPath(mission, "models"))).models,
  });
}
