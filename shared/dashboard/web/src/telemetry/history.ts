// What charts draw at the time shown: history from the server, one bucket a pixel, and live samples on top.
import { type UseQueryResult, useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { type HistoryRequest, historyQuery, parametersQuery } from "../api/queries";
import { useFrame, useLive, useTraces } from "../live/hooks";
import type { Lack } from "../live/wishes";
import type { TimeMode, TimeWindow } from "../time/mode";
import { writeMode } from "../time/mode";
import { useTime, useTimeNow } from "../time/useTime";
import type { Buckets, ParameterDescription, Silence } from "../types";
import { gapLimit, join, pointOf, type Series, within } from "./series";

/** When no snapshot comes for so long, the history is shown without waiting for it. */
const PATIENCE_MS = 2_000;
const POINTS_MAX = 4_000;
const NONE: readonly string[] = [];

export interface PlotLine {
  parameter: ParameterDescription;
  series: Series;
  /** Longest distance between two points that the line bridges, milliseconds. */
  gapMs: number;
  /** Spans without samples, with what may be their cause, as of when the history was read. */
  silences: readonly Silence[];
  /** Why there is nothing of it, where there is nothing. */
  lack: Lack;
}

export interface PlotData {
  /** One for each known name, in their order. The same object as long as nothing drawn would change. */
  lines: readonly PlotLine[];
  window: TimeWindow;
  /** Whether something is still on its way for the first time. */
  pending: boolean;
  error: unknown;
  retry: () => void;
}

/** Lines of several parameters; `points` is the width of the chart in pixels, `null` while that is not known. */
export function usePlotData(mission: string, names: readonly string[], points: number | null): PlotData {
  const live = useLive();
  const frame = useFrame();
  const { mode, now, window } = useTime();
  const timeNow = useTimeNow();
  const isLive = mode.kind === "live";
  const descriptions = useQuery(parametersQuery(mission));
  useTraces(mission, isLive ? names : NONE);

  const width = points === null || points === 0 ? null : Math.min(POINTS_MAX, Math.ceil(points / 100) * 100);
  const known = useMemo(
    () => names.flatMap((name) => descriptions.data?.find((p) => p.name === name) ?? []),
    [names, descriptions.data],
  );
  const traces = known.map(({ name }) => (isLive ? live.feed.traceOf(mission, name) : null));
  const histories = useQueries({
    queries: known.map(({ name }, index) => {
      const trace = traces[index] ?? null;
      // Subscribed first and fetched then: the other way round, what is committed in between would be in neither.
      const isReady =
        !isLive || (trace !== null && (trace.generation > 0 || frame.now - trace.startedAt > PATIENCE_MS));
      const asked: HistoryRequest = {
        mission,
        parameter: name,
        windowName: windowName(mode),
        points: width ?? 0,
        generation: trace?.generation ?? 0,
        window: () => timeNow().window,
      };
      return { ...historyQuery(asked), enabled: width !== null && isReady };
    }),
  });

  const shown = steady(window, width);
  const isReplay = mode.kind === "replay";
  // A bucket that a replay has not come to the end of may hold what was not there yet.
  const until = isReplay ? now : shown.to;
  const key = JSON.stringify([
    known.map(({ name }) => name),
    histories.map((history) => [history.status, history.dataUpdatedAt]),
    traces.map((trace) => trace?.version),
    shown,
    isLive ? 0 : Math.floor(until / pixel(window, width)),
  ]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for all that is drawn.
  const lines = useMemo(
    () =>
      known.map((parameter, index): PlotLine => {
        const history = histories[index]?.data ?? null;
        const samples = traces[index]?.recent.toArray() ?? [];
        const joined = join(
          history,
          samples.map((sample) => pointOf(sample, parameter.kind)),
        );
        const series = within(joined, shown.from, until - (isReplay ? joined.bucketMs : 0));
        const interval = live.feed.latestOf(mission, parameter.name)?.interval_ms ?? null;
        return {
          parameter,
          series,
          gapMs: gapLimit(series, interval),
          silences: silencesOf(history),
          lack: lackOf(histories[index]),
        };
      }),
    [key, known],
  );
  return {
    lines,
    window: shown,
    pending: descriptions.isPending || histories.some((history) => history.isPending),
    error: descriptions.error ?? histories.find((history) => history.isError)?.error ?? null,
    retry: () => {
      if (descriptions.isError) void descriptions.refetch();
      for (const history of histories) if (history.isError) void history.refetch();
    },
  };
}

function lackOf(history: Pick<UseQueryResult, "isError" | "isPending"> | undefined): Lack {
  if (history?.isError) return "not known";
  return history === undefined || history.isPending ? "waiting" : "no sample";
}

function silencesOf(history: Buckets | null): readonly Silence[] {
  return history?.gaps ?? [];
}

function windowName(mode: TimeMode): string {
  return mode.kind === "live" ? mode.span : writeMode({ kind: "fixed", from: mode.from, to: mode.to });
}

/** Milliseconds of a pixel. */
function pixel(window: TimeWindow, width: number | null): number {
  return Math.max(1, (window.to - window.from) / (width ?? 1_000));
}

/** A live window moves by whole pixels, so that a chart whose data is the same need not be drawn again. */
function steady(window: TimeWindow, width: number | null): TimeWindow {
  const step = pixel(window, width);
  const to = Math.ceil(window.to / step) * step;
  return { from: to - (window.to - window.from), to };
}
