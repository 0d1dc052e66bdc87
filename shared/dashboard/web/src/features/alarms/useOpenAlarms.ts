// The open alarms of missions as they change: from the live stream, and by asking where there are too many missions
// or the server refuses the stream.
import { useQueries } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { hasNoAlarms, NONE_HERE, openAlarmsQuery } from "../../api/alarms";
import { useFrame, useLive } from "../../live/hooks";
import type { MissionAlarm } from "./filters";
import { AlarmRows, liveSource } from "./rows";

/** A connection has sixteen subscriptions; pages need the others. */
const LIVE_MISSIONS_MAX = 8;

/** The other missions are asked for so often, but for all of them together not oftener than four times a second. */
const ASKED_EVERY_MS = 10_000;
const APART_MS = 250;

export interface OpenAlarms {
  /** The same array while nothing changed. */
  rows: MissionAlarm[];
  /** Whether all open ones are among them. */
  complete: boolean;
  /** Open alarms that the server itself has no room to list. */
  leftOut: number;
  error: unknown;
}

export function useOpenAlarms(missions: readonly string[]): OpenAlarms {
  const live = useLive();
  useFrame();
  const followed = missions.slice(0, LIVE_MISSIONS_MAX);
  const isRefused = (mission: string) => {
    const refusal = live.feed.wishes.refusalOf({ kind: "alarms", mission });
    return refusal !== null && refusal.code !== NONE_HERE;
  };
  const streamed = followed.filter((mission) => !isRefused(mission));
  const asked = missions.filter((mission) => !streamed.includes(mission));
  const key = JSON.stringify(followed);
  useEffect(() => {
    const names: string[] = JSON.parse(key);
    const ends = names.map((mission) => live.want({ kind: "alarms", mission }));
    return () => {
      for (const end of ends) end();
    };
  }, [live, key]);
  const heads = useQueries({ queries: streamed.map((mission) => openAlarmsQuery(mission, "head")) });
  const lists = useQueries({
    queries: asked.map((mission) => ({
      ...openAlarmsQuery(mission, "all"),
      refetchInterval: Math.max(ASKED_EVERY_MS, asked.length * APART_MS),
    })),
  });
  const [rows] = useState(() => new AlarmRows());
  const known = streamed.map((mission) => live.feed.alarmsOf(mission));
  const answers = [...heads, ...lists];
  // Of several missions one may have no alarms at all here: that is no reason to doubt the others.
  const isWithout = (answer: { error: unknown } | undefined) =>
    missions.length > 1 && hasNoAlarms(answer?.error);
  return {
    rows: rows.of([
      ...streamed.map((mission, index) => liveSource(mission, known[index] ?? null)),
      ...asked.map((mission, index) => ({
        mission,
        version: lists[index]?.dataUpdatedAt ?? 0,
        alarms: () => lists[index]?.data?.alarms ?? [],
      })),
    ]),
    complete:
      known.every((one, index) => one?.complete || isWithout(heads[index])) &&
      lists.every((list) => list.data !== undefined || isWithout(list)),
    leftOut: answers.reduce((sum, answer) => sum + (answer.data?.left_out ?? 0), 0),
    error: answers.find((answer) => answer.isError && !isWithout(answer))?.error ?? null,
  };
}
