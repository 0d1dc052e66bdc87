// Questions about any parameters over any range, and the same as files.
import { queryOptions } from "@tanstack/react-query";
import type { TimeWindow } from "../time/mode";
import type { Statistics } from "../types";
import { missionPath, request } from "./client";

export interface StatisticsQuestion {
  mission: string;
  parameter: string;
  /** Asked for when the request is sent, because a live range moves. */
  window: () => TimeWindow;
  /** Names the range in the cache. */
  windowName: string;
  isLive: boolean;
}

const STATISTICS_EVERY_MS = 10_000;

/** A range in numbers. */
export function statisticsQuery({ mission, parameter, window, windowName, isLive }: StatisticsQuestion) {
  return queryOptions({
    queryKey: ["statistics", mission, parameter, windowName],
    queryFn: () =>
      request<Statistics>("GET", missionPath(mission, `statistics?${rangeSearch(window(), [parameter])}`)),
    // The numbers of a replay's last moment stand until those of this one are here, but never another parameter's or mission's.
    placeholderData: (previous: Statistics | undefined, query?: { queryKey: readonly unknown[] }) =>
      query?.queryKey[1] === mission && query.queryKey[2] === parameter ? previous : undefined,
    staleTime: isLive ? 0 : 60_000,
    gcTime: 30_000,
    refetchInterval: isLive ? STATISTICS_EVERY_MS : (false as const),
  });
}

function rangeSearch({ from, to }: TimeWindow, parameters: readonly string[]): URLSearchParams {
  const search = new URLSearchParams({ from: moment(from), to: moment(to) });
  for (const parameter of parameters) search.append("parameter", parameter);
  return search;
}

export type ExportFormat = "csv" | "jsonl" | "packets" | "parquet";

export interface ExportQuestion extends TimeWindow {
  mission: string;
  format: ExportFormat;
  parameters?: readonly string[];
  filter?: { apid?: number | undefined; node?: string | undefined; link?: string | undefined };
}

/** Address of a file; opening it downloads. */
export function exportPath({
  mission,
  format,
  from,
  to,
  parameters = [],
  filter = {},
}: ExportQuestion): string {
  const search = rangeSearch({ from, to }, parameters);
  search.set("format", format);
  for (const [name, value] of Object.entries(filter))
    if (value !== undefined) search.set(name, String(value));
  return missionPath(mission, `export?${search}`);
}

function moment(ms: number): string {
  return new Date(ms).toISOString();
}
