// The values that count at the time shown: the newest ones while it is live, those of the moment otherwise.
import { queryOptions, type UseQueryResult, useQueries } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import { missionPath, request } from "../api/client";
import { parseTime } from "../format/time";
import { useFrame, useLive, useLiveValues } from "../live/hooks";
import type { Lack } from "../live/wishes";
import type { TimeMode } from "../time/mode";
import { useTime } from "../time/useTime";
import type { Sample, ValuesAt } from "../types";
import { freshness, freshnessAt } from "./freshness";

/** The most parameters that the server takes in one question. */
const AT_MAX = 200;
const NONE: readonly string[] = [];

export interface Shown {
  sample: Sample;
  /** Unix milliseconds. */
  generatedAt: number;
  /** Milliseconds before the moment that is shown. */
  age: number;
  stale: boolean;
}

export type { Lack };

/** Looks parameters' newest values up, whatever time is shown. */
export function useLatestValues(mission: string, names: readonly string[]): Pick<Values, "lackOf" | "of"> {
  const live = useLive();
  const frame = useFrame();
  useLiveValues(mission, names);
  return {
    of: (name) => {
      const sample = live.feed.latestOf(mission, name);
      return sample === null ? null : { sample, ...freshness(sample, frame) };
    },
    lackOf: (name) => live.feed.wishes.lackOf(mission, name),
  };
}

export interface Values {
  /** A parameter's value at the time shown; `null` while nothing is known of it. */
  of: (name: string) => Shown | null;
  /** Why there is no value, where there is none. */
  lackOf: (name: string) => Lack;
  /** Why nothing is known of some; `null` while nothing failed. */
  error: unknown;
  retry: () => void;
}

export function useValues(mission: string, names: readonly string[]): Values {
  const { mode, now } = useTime();
  const isLive = mode.kind === "live";
  const latest = useLatestValues(mission, isLive ? names : NONE);
  const then = useValuesAt(mission, isLive ? NONE : names, momentOf(mode, now));
  const of = (name: string) => {
    if (isLive) return latest.of(name);
    const known = then.known.get(name);
    if (!known) return null;
    // A quick replay is ahead of the moment that was asked for, and a value is as old as it was at that moment.
    return { sample: known.sample, ...freshnessAt(known.sample, known.at) };
  };
  const lackOf = (name: string): Lack => {
    if (isLive) return latest.lackOf(name);
    if (then.known.has(name)) return "no sample";
    return then.error === null ? "waiting" : "not known";
  };
  return { of, lackOf, error: then.error, retry: then.retry };
}

/** A replay asks once a second, however quickly it plays. */
function momentOf(mode: TimeMode, now: number): number {
  if (mode.kind !== "replay") return now;
  const step = 1_000 * mode.speed;
  return Math.max(mode.from, Math.floor(now / step) * step);
}

function useValuesAt(mission: string, names: readonly string[], at: number): Answered {
  const chunks = useMemo(
    () =>
      Array.from({ length: Math.ceil(names.length / AT_MAX) }, (_, n) =>
        names.slice(n * AT_MAX, (n + 1) * AT_MAX),
      ),
    [names],
  );
  const answered = useQueries({
    queries: chunks.map((chunk) => valuesAtQuery(mission, chunk, at)),
    combine: collect,
  });
  // The next moment's values are asked for under another key: until they are here, those of the last one stand.
  const last = useRef({ mission, answered });
  if (!answered.isPending || last.current.mission !== mission) last.current = { mission, answered };
  return { ...last.current.answered, retry: answered.retry };
}

interface Known {
  sample: Sample;
  /** The moment for which the server said so, Unix milliseconds. */
  at: number;
}

interface Answered {
  /** Of each name that was answered; `null` where there is no sample of it. */
  known: ReadonlyMap<string, Known | null>;
  isPending: boolean;
  error: unknown;
  retry: () => void;
}

function collect(answers: readonly UseQueryResult<ValuesAt>[]): Answered {
  const known = new Map<string, Known | null>();
  for (const { data } of answers)
    for (const { parameter, sample } of data?.values ?? [])
      known.set(parameter, sample ? { sample, at: parseTime(data?.at ?? "") } : null);
  return {
    known,
    isPending: answers.some((answer) => answer.isPending),
    error: answers.find((answer) => answer.isError && answer.data === undefined)?.error ?? null,
    retry: () => {
      for (const answer of answers) if (answer.isError) void answer.refetch();
    },
  };
}

/** Values of up to 200 parameters at a moment, Unix milliseconds. */
export function valuesAtQuery(mission: string, names: readonly string[], at: number) {
  return queryOptions({
    queryKey: ["at", mission, at, names],
    queryFn: () => {
      const search = new URLSearchParams({ time: new Date(at).toISOString() });
      for (const name of names) search.append("parameter", name);
      return request<ValuesAt>("GET", `${missionPath(mission, "at")}?${search}`);
    },
    staleTime: 60_000,
    gcTime: 60_000,
  });
}
