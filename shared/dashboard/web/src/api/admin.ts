// What administrators ask and do. Answers that hold a secret are never kept: whoever asks gets them once.
import { queryOptions } from "@tanstack/react-query";
import type { components } from "../contract";
import { parseTime } from "../format/time";
import { missionPath, request, TextBody } from "./client";

type Schemas = components["schemas"];
export type ApiToken = Schemas["ApiToken"];
export type DictionaryDocument = Schemas["DictionaryDocument"];
export type DictionaryImport = Schemas["DictionaryImport"];
export type EnrolmentToken = Schemas["EnrolmentToken"];
export type HubStanding = Schemas["HubStanding"];
export type NewApiToken = Schemas["NewApiToken"];
export type NewEnrolmentToken = Schemas["NewEnrolmentToken"];
export type NewLoginCode = Schemas["NewLoginCode"];
export type Person = Schemas["Person"];
export type Role = Schemas["Role"];

const API = "/api/v1";
const OFTEN_MS = 10_000;

export const enrolmentTokensQuery = queryOptions({
  queryKey: ["enrolment-tokens"],
  queryFn: () => request<Schemas["EnrolmentTokens"]>("GET", `${API}/enrolment-tokens`),
  staleTime: 0,
  refetchInterval: OFTEN_MS,
});

export function makeEnrolmentToken(asked: NewEnrolmentToken): Promise<Schemas["MadeEnrolmentToken"]> {
  return request("POST", `${API}/enrolment-tokens`, asked);
}

export function endEnrolmentToken(id: string): Promise<void> {
  return request("DELETE", `${API}/enrolment-tokens/${encodeURIComponent(id)}`);
}

export const apiTokensQuery = queryOptions({
  queryKey: ["api-tokens"],
  queryFn: () => request<Schemas["ApiTokens"]>("GET", `${API}/api-tokens`),
  staleTime: 0,
  refetchInterval: OFTEN_MS,
});

export function makeApiToken(asked: NewApiToken): Promise<Schemas["MadeApiToken"]> {
  return request("POST", `${API}/api-tokens`, asked);
}

export function revokeApiToken(name: string): Promise<void> {
  return request("DELETE", `${API}/api-tokens/${encodeURIComponent(name)}`);
}

export const peopleQuery = queryOptions({
  queryKey: ["people"],
  queryFn: () => request<Schemas["People"]>("GET", `${API}/people`),
  staleTime: 0,
  refetchInterval: OFTEN_MS,
});

export function makeLoginCode(asked: NewLoginCode): Promise<Schemas["MadeLoginCode"]> {
  return request("POST", `${API}/login-codes`, asked);
}

export function endSessions(name: string): Promise<void> {
  return request("DELETE", `${API}/people/${encodeURIComponent(name)}/sessions`);
}

export const hubQuery = queryOptions({
  queryKey: ["hub"],
  queryFn: () => request<HubStanding>("GET", `${API}/hub`),
  staleTime: 0,
  refetchInterval: OFTEN_MS,
});

export function dictionaryQuery(mission: string) {
  return queryOptions({
    queryKey: ["dictionary", mission],
    queryFn: async () =>
      (await request<Schemas["DictionaryDocuments"]>("GET", missionPath(mission, "dictionary"))).versions,
    staleTime: 0,
  });
}

export function dictionaryTextPath(mission: string, number: number): string {
  return missionPath(mission, `dictionary/${number}`);
}

export interface NewDictionary {
  fileName: string;
  text: string;
  /** A time as `parseTime` reads it; empty: from now on. */
  effectiveFrom: string;
  reason: string;
  isDryRun: boolean;
}

export function importDictionary(mission: string, asked: NewDictionary): Promise<DictionaryImport> {
  const { fileName, text, effectiveFrom, reason, isDryRun } = asked;
  const search = new URLSearchParams({
    dry_run: String(isDryRun),
    file_name: fileName,
    ...(effectiveFrom === "" ? {} : { effective_from: new Date(parseTime(effectiveFrom)).toISOString() }),
    ...(reason === "" ? {} : { reason }),
  });
  return request("PUT", missionPath(mission, `dictionary?${search}`), new TextBody("text/xml", text));
}
