// The events of the time that is shown, newest first: history from the server joined with what comes live.
import { useMemo } from "react";
import { readEvents, readHubEvents } from "../../api/records";
import { count, plural } from "../../format/quantity";
import { useFrame, useLiveEvents } from "../../live/hooks";
import type { Refusal } from "../../live/wishes";
import { type Pages, usePages } from "../../table/usePages";
import { writeMode } from "../../time/mode";
import { useTime, useTimeNow } from "../../time/useTime";
import { joined, type LogRow, rowOf } from "./log";

const EVENTS_MAX = 100_000;
/** What the live connection left out is found in the archive. */
const READ_AGAIN_MS = 60_000;

export interface EventLog {
  /** All that is known, newest first: the same array until more is. */
  rows: readonly LogRow[];
  /** Unix milliseconds of what is shown of them, both included. */
  from: number;
  to: number;
  /** Nothing is known yet. */
  isPending: boolean;
  /** What is missing from the rows, and why. */
  notes: readonly string[];
  error: unknown;
  retry: () => void;
}

/** `mission` is `null` for the hub's own events. */
export function useEventLog(mission: string | null): EventLog {
  const { mode, now, window: shown } = useTime();
  const timeNow = useTimeNow();
  const { established } = useFrame();
  const isLive = mode.kind === "live";
  const { log, refusal } = useLiveEvents(mission);
  const range = mode.kind === "live" ? mode.span : writeMode({ ...mode, kind: "fixed" });
  const pages = usePages<LogRow>({
    queryKey: ["events", mission, range, isLive ? established : 0],
    load: async (cursor) => {
      const { from, to } = timeNow().window;
      const span = { from, to: isLive ? null : to, cursor };
      if (mission === null) {
        const { rows, next } = await readHubEvents(span);
        return { rows: rows.map(rowOf), next };
      }
      const { rows, next } = await readEvents(mission, span);
      return { rows: rows.map(rowOf), next };
    },
    rowsMax: EVENTS_MAX,
    goOn: () => true,
    refetchInterval: isLive ? READ_AGAIN_MS : false,
  });
  const version = log?.version ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version stands for the log's entries.
  const rows = useMemo(
    () => joined(pages.rows, isLive ? (log?.entries.toArray() ?? []).map(rowOf) : []),
    [pages.rows, isLive, version],
  );
  return {
    rows,
    from: shown.from,
    to: isLive ? Number.POSITIVE_INFINITY : now,
    isPending: pages.isPending,
    notes: notesOf(pages, isLive ? (log?.dropped ?? 0) : 0, isLive ? refusal : null),
    error: pages.error,
    retry: pages.retry,
  };
}

function notesOf(pages: Pages<LogRow>, dropped: number, refusal: Refusal | null): string[] {
  const notes: string[] = [];
  if (pages.isFull) notes.push(`the first ${count(EVENTS_MAX)} are read: choose a shorter range`);
  else if (pages.hasMore && pages.error === null) notes.push("reading on…");
  if (refusal !== null) notes.push(`new ones are read once a minute: ${refusal.detail}`);
  if (dropped > 0)
    notes.push(
      `this browser was too slow for ${plural(dropped, "event")}: read from the archive within a minute`,
    );
  return notes;
}
