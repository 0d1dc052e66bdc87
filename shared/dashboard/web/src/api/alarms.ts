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
import { missionPath, request } from "./client";

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

export function closedAlarmsQuery(mission: string) {
  return infiniteQueryOptions({
    queryKey: ["alarms", mission, "closed"],
    queryFn: ({ pageParam }) => {
      const cursor = pageParam === "" ? "" : `&cursor=${encodeURIComponent(pageParam)}`;
      return request<Alarms>("GET", missionPath(mission, `alarms?open=false&limit=200${cursor}`));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    staleTime: 10_000,
  });
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
