// The events of the time that is shown, newest first: as much of history as is wanted, joined with what comes live.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { readEvents } from "../../api/records";
import { count, plural } from "../../format/quantity";
import { useFrame, useLive, useLiveEvents } from "../../live/hooks";
import type { Refusal } from "../../live/wishes";
import { type Pages, usePages, useReadOn } from "../../table/usePages";
import { writeMode } from "../../time/mode";
import { useTime, useTimeNow } from "../../time/useTime";
import { Book, between } from "./book";
import { type LogRow, rowOf } from "./log";

const EVENTS_MAX = 100_000;
/** What the live connection left out is found in the archive. */
const LOOK_EVERY_MS = 60_000;
/** So far back each look goes behind the one before it: events are in the archive a little after their time. */
const OVERLAP_MS = 5 * 60_000;
/** Pages of one look: ten thousand events are more than a minute brings. */
const LOOK_PAGES_MAX = 10;

export interface EventLog {
  /** All that is known, newest first: the same array until more is. */
  rows: readonly LogRow[];
  /** Unix milliseconds of what is shown of them, both included. */
  from: number;
  to: number;
  /** Nothing is known yet. */
  isPending: boolean;
  /** There are older ones in the range than were read. */
  hasMore: boolean;
  /** Reading on comes to what is not newer. Behind it rows may be missing, also where some are known from before. */
  readTo: number;
  /** What is missing from the rows, and why. */
  notes: readonly string[];
  error: unknown;
  retry: () => void;
  pages: Omit<Pages<unknown>, "rows">;
}

/** `mission` is `null` for the hub's own events. While the list is held, nothing is forgotten that was shown then. */
export function useEventLog(mission: string | null, heldSince: number | null = null): EventLog {
  const { mode, now, window: shown } = useTime();
  const timeNow = useTimeNow();
  const { established } = useFrame();
  const isLive = mode.kind === "live";
  const { log, refusal } = useLiveEvents(mission);
  const range = mode.kind === "live" ? mode.span : writeMode({ ...mode, kind: "fixed" });
  const wantedNow = () => {
    const { from, to } = timeNow().window;
    return { from: isLive && heldSince !== null ? Math.min(from, heldSince - (to - from)) : from, to };
  };
  const pages = usePages<LogRow>({
    // What stations sent late while the connection was lost may be anywhere: the list is read anew, as far as it is wanted.
    queryKey: ["events", mission, range, isLive ? Math.max(1, established) : 0],
    load: async (cursor) => {
      const { from, to } = wantedNow();
      const { rows, next } = await readEvents(mission, { from, to: isLive ? null : to, cursor });
      return { rows: rows.map(rowOf), next };
    },
    rowsMax: EVENTS_MAX,
    goOn: () => false,
    // What came since it was read would be missing from what was kept.
    ...(isLive ? { keptMs: 0 } : {}),
  });
  const missed = { dropped: log?.dropped ?? 0, isRefused: refusal !== null };
  const newer = useNewer(mission, isLive && !pages.isPending, missed);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each range has a book of its own.
  const book = useMemo(() => new Book(), [mission, range]);
  const version = log?.version ?? 0;
  // Taken in twice, a page or an entry changes nothing.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version stands for the log's entries.
  const rows = useMemo(() => {
    for (const page of pages.pages) book.takePage(page);
    if (isLive) {
      book.takePage(newer.rows);
      book.takeLive(log?.entries.toArray() ?? [], rowOf);
      book.forget(wantedNow().from - LOOK_EVERY_MS);
    }
    return book.rows;
  }, [book, pages.pages, newer.rows, isLive, version]);
  return {
    rows,
    from: shown.from,
    to: isLive ? Number.POSITIVE_INFINITY : now,
    isPending: pages.isPending,
    hasMore: pages.hasMore,
    readTo: pages.hasMore ? (pages.rows.at(-1)?.at ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY,
    notes: notesOf(pages, isLive ? (log?.dropped ?? 0) : 0, isLive ? refusal : null),
    error: pages.error ?? (isLive ? newer.error : null),
    retry: pages.error === null ? newer.retry : pages.retry,
    pages,
  };
}

/** Reads older events as long as fewer of these rows are certain than are wanted. */
export function useOlderEvents(log: EventLog, rows: readonly LogRow[], wanted: number): void {
  useReadOn(log.pages, between(rows, log.readTo, Number.POSITIVE_INFINITY).length < wanted);
}

interface Look {
  rows: readonly LogRow[];
  /** Events that the stream had left out by then. */
  dropped: number;
  /** All that was in the archive then was looked at. Unix milliseconds. */
  until: number;
}

/** The name of the looks for newer events, for who knows that there are some. */
export function newerEventsKey(mission: string | null): readonly unknown[] {
  return ["events-newer", mission];
}

/** What the stream did not bring. */
interface Missed {
  dropped: number;
  isRefused: boolean;
}

interface Newer {
  rows: readonly LogRow[];
  error: unknown;
  retry: () => void;
}

/** Once a minute what is newer than was known the last time; what is there already is not read again. */
function useNewer(mission: string | null, isWanted: boolean, { dropped, isRefused }: Missed): Newer {
  const client = useQueryClient();
  const live = useLive();
  const queryKey = newerEventsKey(mission);
  const { data, error, refetch } = useQuery({
    queryKey,
    queryFn: async (): Promise<Look> => {
      const until = live.frame().serverNow;
      const known = client.getQueryData<Look>(queryKey);
      const from = (known?.until ?? until) - OVERLAP_MS;
      const rows: LogRow[] = [];
      let cursor: string | null = null;
      for (let page = 0; page < LOOK_PAGES_MAX; page += 1) {
        const read = await readEvents(mission, { from, to: null, cursor });
        rows.push(...read.rows.map(rowOf));
        cursor = read.next;
        if (cursor === null) break;
      }
      // What a station sent late may be anywhere, and only the stream brings it: without it the pages are read again.
      if (isRefused || dropped > (known?.dropped ?? 0))
        void client.invalidateQueries({ queryKey: ["events", mission] });
      return { rows, until, dropped };
    },
    initialData: (): Look => ({ rows: [], until: live.frame().serverNow, dropped }),
    enabled: isWanted,
    refetchInterval: LOOK_EVERY_MS,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    structuralSharing: false,
  });
  return { rows: data.rows, error, retry: () => void refetch() };
}

function notesOf(pages: Pages<LogRow>, dropped: number, refusal: Refusal | null): string[] {
  const notes: string[] = [];
  if (pages.isFull) notes.push(`the newest ${count(EVENTS_MAX)} are read: choose a shorter range`);
  else if (pages.hasMore && pages.isLoading) notes.push("reading on…");
  if (refusal !== null) notes.push(`new ones are read once a minute: ${refusal.detail}`);
  if (dropped > 0)
    notes.push(
      `this browser was too slow for ${plural(dropped, "event")}: read from the archive within a minute`,
    );
  return notes;
}
