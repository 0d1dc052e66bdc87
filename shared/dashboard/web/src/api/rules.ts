// Questions about what decides about alarms: the rules documents of a mission, and its detection models.
import { queryOptions } from "@tanstack/react-query";
import type {
  AlarmRules,
  AlarmRulesInForce,
  DetectionModels,
  DetectionRules,
  DetectionRulesInForce,
  NewRules,
  RulesDocument,
  RulesVersion,
} from "../types";
import { missionPath, request } from "./client";

/** Which rules; as paths call them. */
export type RulesKind = "alarm-rules" | "detection-rules";

export function alarmRulesQuery(mission: string) {
  return queryOptions({
    queryKey: ["rules", mission, "alarm-rules"],
    queryFn: () => request<AlarmRules>("GET", missionPath(mission, "alarm-rules")),
    staleTime: 0,
    refetchInterval: 30_000,
  });
}

export function detectionRulesQuery(mission: string) {
  return queryOptions({
    queryKey: ["rules", mission, "detection-rules"],
    queryFn: () => request<DetectionRules>("GET", missionPath(mission, "detection-rules")),
    staleTime: 0,
    refetchInterval: 30_000,
  });
}

/** A version never changes. */
export function rulesDocumentQuery(mission: string, kind: RulesKind, number: number) {
  return queryOptions({
    queryKey: ["rules-document", mission, kind, number],
    queryFn: () => request<RulesDocument>("GET", missionPath(mission, `${kind}/${number}`)),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function putRules(mission: string, kind: RulesKind, rules: NewRules): Promise<RulesVersion> {
  return request("PUT", missionPath(mission, kind), rules);
}

/** What of a text would count, and what is wrong with it. */
export function checkAlarmRules(mission: string, text: string): Promise<AlarmRulesInForce> {
  return request("POST", missionPath(mission, "alarm-rules/check"), { text });
}

export function checkDetectionRules(mission: string, text: string): Promise<DetectionRulesInForce> {
  return request("POST", missionPath(mission, "detection-rules/check"), { text });
}

export function modelsQuery(mission: string) {
  return queryOptions({
    queryKey: ["models", mission],
    queryFn: async () => (await request<DetectionModels>("GET", missionPath(mission, "models"))).models,
  });
}
