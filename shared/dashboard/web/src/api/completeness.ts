// What came of what there was, what was lost, and backfill that somebody asked for.
import { queryOptions } from "@tanstack/react-query";
import type {
  BackfillRequest,
  BackfillRequests,
  Completeness,
  CompletenessBy,
  Gaps,
  NewBackfillRequest,
} from "../types";
import { missionPath, ProblemError, request } from "./client";

const BAD_QUESTION = 400;
const LIVE_MS = 30_000;

/** Hours, or days where hours would be more rows than the server gives. */
export function completenessQuery(
  mission: string,
  span: { from: number; to: number },
  by: CompletenessBy,
  isLive: boolean,
) {
  const { from, to } = span;
  return queryOptions({
    queryKey: ["completeness", mission, from, to, by],
    queryFn: async (): Promise<Completeness> => {
      try {
        return await askCompleteness(mission, from, to, by);
      } catch (error) {
        const isTooLong = error instanceof ProblemError && error.problem.status === BAD_QUESTION;
        if (!isTooLong || by !== "hour") throw error;
        return await askCompleteness(mission, from, to, "day");
      }
    },
    placeholderData: (previous, query) => (query?.queryKey[1] === mission ? previous : undefined),
    staleTime: isLive ? 0 : 60_000,
    refetchInterval: isLive ? LIVE_MS : false,
  });
}

function askCompleteness(
  mission: string,
  from: number,
  to: number,
  by: CompletenessBy,
): Promise<Completeness> {
  return request("GET", missionPath(mission, `completeness?${spanSearch(from, to)}&by=${by}`));
}

/** Batches that nodes lost and noticed in a span. */
export function gapsQuery(mission: string, from: number, to: number) {
  return queryOptions({
    queryKey: ["gaps", mission, from, to],
    queryFn: () => request<Gaps>("GET", missionPath(mission, `gaps?${spanSearch(from, to)}&limit=1000`)),
    staleTime: 30_000,
  });
}

export function backfillQuery(mission: string) {
  return queryOptions({
    queryKey: ["backfill", mission],
    queryFn: () => request<BackfillRequests>("GET", missionPath(mission, "backfill")),
    staleTime: 0,
    refetchInterval: 5_000,
  });
}

export function askForBackfill(mission: string, asked: NewBackfillRequest): Promise<BackfillRequest> {
  return request("POST", missionPath(mission, "backfill"), asked);
}

function spanSearch(from: number, to: number): URLSearchParams {
  return new URLSearchParams({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
}
