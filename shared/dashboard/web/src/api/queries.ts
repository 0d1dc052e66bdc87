// Every question the dashboard asks, with the key its answer is kept under.
import { MutationCache, QueryCache, QueryClient, queryOptions } from "@tanstack/react-query";
import type { Buckets, Latest, Missions, Nodes, Page, Parameters, Samples, Session } from "../types";
import { readBuckets } from "./buckets";
import { isUnauthorized, missionPath, ProblemError, request } from "./client";

const API = "/api/v1";
/** The most the server puts on one page; further pages are not asked for. */
const PAGE_SAMPLES = 10_000;

export function createQueryClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error, query) => {
        // The session ended while a page was open: ask for it again, which shows the login form.
        if (isUnauthorized(error) && query.queryKey[0] !== "session")
          void client.invalidateQueries({ queryKey: ["session"] });
      },
    }),
    mutationCache: new MutationCache({
      onError: (error) => {
        // Of somebody who was logged in; a wrong code is told by the form itself.
        if (isUnauthorized(error) && client.getQueryData<SessionState>(["session"])?.kind === "open")
          void client.invalidateQueries({ queryKey: ["session"] });
      },
    }),
    defaultOptions: {
      queries: {
        // A station without internet makes the browser think it is offline; its own node still answers.
        networkMode: "always",
        retry: (failures, error) => !(error instanceof ProblemError) && failures < 2,
        refetchOnWindowFocus: false,
        staleTime: 30_000,
      },
      mutations: { networkMode: "always" },
    },
  });
  return client;
}

export async function logIn(code: string): Promise<void> {
  await request("POST", `${API}/session`, { code });
}

export async function logOut(): Promise<void> {
  await request("DELETE", `${API}/session`);
}

/** `refused` says why a login link did not work; it is `null` when nobody tried. */
export type SessionState = { kind: "closed"; refused: unknown } | { kind: "open"; session: Session };

/** `takeCode` yields the code of a login link once; it is exchanged before the session is read. */
export function sessionQuery(takeCode: () => string | null) {
  return queryOptions({
    queryKey: ["session"],
    queryFn: async (): Promise<SessionState> => {
      const code = takeCode();
      let refused: unknown = null;
      if (code !== null)
        await logIn(code).catch((error: unknown) => {
          refused = error;
        });
      try {
        return { kind: "open", session: await request<Session>("GET", `${API}/session`) };
      } catch (error) {
        if (!isUnauthorized(error)) throw error;
        return { kind: "closed", refused };
      }
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export const missionsQuery = queryOptions({
  queryKey: ["missions"],
  queryFn: async () => (await request<Missions>("GET", `${API}/missions`)).missions,
  // A version that begins to be in force tells nobody.
  refetchInterval: 60_000,
});

/** The descriptions of a mission are others now, or may be those of all missions. */
export function forgetDescriptions(client: QueryClient, mission: string | null): void {
  void client.invalidateQueries({ queryKey: missionsQuery.queryKey });
  void client.invalidateQueries({ queryKey: mission === null ? ["parameters"] : ["parameters", mission] });
}

export function parametersQuery(mission: string) {
  return queryOptions({
    queryKey: ["parameters", mission],
    queryFn: async () => (await request<Parameters>("GET", missionPath(mission, "parameters"))).parameters,
    staleTime: 5 * 60_000,
  });
}

export function latestQuery(mission: string) {
  return queryOptions({
    queryKey: ["latest", mission],
    queryFn: () => request<Latest>("GET", missionPath(mission, "latest")),
    staleTime: 0,
    refetchInterval: 10_000,
  });
}

export const nodesQuery = queryOptions({
  queryKey: ["nodes"],
  queryFn: () => request<Nodes>("GET", `${API}/nodes`),
});

export interface HistoryRequest {
  mission: string;
  parameter: string;
  /** Asked for when the request is sent, because a live window moves. Unix milliseconds. */
  window: () => { from: number; to: number };
  /** Names the window in the cache, for example `15m` or `15m@<end>`. */
  windowName: string;
  points: number;
  /** Grows when the live stream broke, so that what was missed is fetched. */
  generation: number;
}

export function historyQuery(asked: HistoryRequest) {
  const { mission, parameter, window, windowName, points, generation } = asked;
  return queryOptions({
    queryKey: ["samples", mission, parameter, windowName, points, generation],
    queryFn: (): Promise<Buckets> => readBuckets({ mission, parameter, ...window(), points }),
    // The curve stays while its window is fetched again, but another parameter's curve must not stand in.
    placeholderData: (previous, query) =>
      query?.queryKey[1] === mission && query.queryKey[2] === parameter ? previous : undefined,
    structuralSharing: false,
    staleTime: 0,
    gcTime: 10_000,
    refetchInterval: 60_000,
  });
}

export function pageQuery(asked: HistoryRequest) {
  const { mission, parameter, windowName, generation } = asked;
  return queryOptions({
    queryKey: ["page", mission, parameter, windowName, generation],
    queryFn: async (): Promise<Page> => {
      const answer = await request<Samples>("GET", samplesPath(asked));
      if (answer.kind !== "page") throw new Error("the server answered buckets where samples were asked for");
      return answer;
    },
    staleTime: 0,
    gcTime: 10_000,
    refetchInterval: 60_000,
  });
}

function samplesPath({ mission, parameter, window }: HistoryRequest): string {
  const { from, to } = window();
  const search = new URLSearchParams({
    parameter,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    limit: String(PAGE_SAMPLES),
  });
  return `${missionPath(mission, "samples")}?${search}`;
}
