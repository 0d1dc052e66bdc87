// Questions and acts about alarms, with the keys their answers are kept under.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type {
  AlarmAcknowledged,
  AlarmActRequest,
  AlarmDeliveries,
  AlarmDelivery,
  AlarmHistory,
  Alarms,
} from "../types";
import { missionPath, ProblemError, request } from "./client";

/** Closed alarms of a mission that are asked for at once. */
const CLOSED_PAGE = 200;
export const NONE_HERE = "STO-ALARM-NONE";

/** `head`: only how many there are and whether there are any here at all; the live stream has them. `all`: each of them. */
export function openAlarmsQuery(mission: string, extent: "all" | "head") {
  const limit = extent === "all" ? 1_000 : 1;
  return queryOptions({
    queryKey: ["alarms", mission, extent],
    queryFn: () => request<Alarms>("GET", missionPath(mission, `alarms?open=true&limit=${limit}`)),
    staleTime: 0,
    refetchInterval: 60_000,
  });
}

/** Where the lists of closed alarms are read on, by mission: behind a cursor, or from the newest where it is empty. */
export type ClosedCursors = Record<string, string>;

/** What one question to each of some missions brought. */
export type ClosedPart = Record<string, Alarms>;

/** Closed alarms of missions. `nextOf` says of which missions more is needed before older ones can be shown in order. */
export function closedAlarmsQuery(
  missions: readonly string[],
  nextOf: (parts: readonly ClosedPart[]) => ClosedCursors | null,
) {
  return infiniteQueryOptions({
    queryKey: ["closed-alarms", ...missions],
    queryFn: async ({ pageParam }): Promise<ClosedPart> => {
      const answers = await Promise.all(
        Object.entries(pageParam).map(async ([mission, cursor]) => [
          mission,
          await closedPage(mission, cursor),
        ]),
      );
      return Object.fromEntries(answers);
    },
    initialPageParam: Object.fromEntries(missions.map((mission) => [mission, ""])) as ClosedCursors,
    getNextPageParam: (_, parts) => nextOf(parts) ?? undefined,
    staleTime: 10_000,
    enabled: missions.length > 0,
  });

  async function closedPage(mission: string, cursor: string): Promise<Alarms> {
    const behind = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const path = missionPath(mission, `alarms?open=false&limit=${CLOSED_PAGE}${behind}`);
    try {
      return await request<Alarms>("GET", path);
    } catch (error) {
      // Of several missions one may have no alarms at all here: the others have theirs.
      if (missions.length > 1 && hasNoAlarms(error)) return { alarms: [], open: 0, left_out: 0 };
      throw error;
    }
  }
}

/** Whether the server looks after no alarms of the mission. */
export function hasNoAlarms(error: unknown): boolean {
  return error instanceof ProblemError && error.problem.code === NONE_HERE;
}

export function alarmQuery(mission: string, alarm: string) {
  return queryOptions({
    queryKey: ["alarm", mission, alarm],
    queryFn: () => request<AlarmHistory>("GET", alarmPath(mission, alarm)),
    staleTime: 0,
    refetchInterval: 2_000,
  });
}

/** The same `id` sent again is the same act. */
export function actOnAlarm(mission: string, alarm: string, act: AlarmActRequest): Promise<AlarmHistory> {
  return request("POST", `${alarmPath(mission, alarm)}/acts`, act);
}

export function acknowledgeAlarms(mission: string, body: unknown): Promise<AlarmAcknowledged> {
  return request("POST", missionPath(mission, "alarms/acknowledge"), body);
}

/** Who was told of an alarm. Only a hub knows. */
export function messagesQuery(mission: string, alarm: string) {
  return queryOptions({
    queryKey: ["deliveries", mission, "alarm", alarm],
    queryFn: () =>
      request<AlarmDeliveries>(
        "GET",
        missionPath(mission, `alarm-deliveries?alarm=${encodeURIComponent(alarm)}`),
      ),
    refetchInterval: 10_000,
    staleTime: 0,
  });
}

export function deliveriesQuery(mission: string, from: string | null, to: string | null) {
  return infiniteQueryOptions({
    queryKey: ["deliveries", mission, "all", from, to],
    queryFn: ({ pageParam }) => {
      const search = new URLSearchParams({ limit: "200" });
      if (from !== null) search.set("from", from);
      if (to !== null) search.set("to", to);
      if (pageParam !== "") search.set("cursor", pageParam);
      return request<AlarmDeliveries>("GET", missionPath(mission, `alarm-deliveries?${search}`));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: 10_000,
    staleTime: 0,
  });
}

export function sendTest(mission: string, contact: string): Promise<AlarmDelivery> {
  return request("POST", missionPath(mission, "alarm-tests"), { contact });
}

function alarmPath(mission: string, alarm: string): string {
  return missionPath(mission, `alarms/${encodeURIComponent(alarm)}`);
}
