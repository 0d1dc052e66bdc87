// Why nothing is drawn where nothing is drawn: each cause of a silence has a word and a pattern.
import { parseTime } from "../../format/time";
import type { Silence } from "../../types";

export type GapKind = "backfilled" | "lost" | "not-issued" | "not-received" | "unknown" | "waiting";

export const GAP_WORDS: Record<GapKind, string> = {
  backfilled: "being backfilled",
  lost: "lost",
  "not-issued": "nothing was sent",
  "not-received": "not received",
  unknown: "cause unknown",
  waiting: "still at the station",
};

export interface Gap {
  /** Unix milliseconds. */
  from: number;
  to: number;
  kind: GapKind;
}

/** The most hopeful cause counts last: what is lost for certain must not look as if it came. */
const ORDER: readonly GapKind[] = ["lost", "not-received", "backfilled", "waiting", "not-issued", "unknown"];

/** What waits at a station that has a link is on its way. */
export function gapsOf(silences: readonly Silence[], isConnected: (node: string) => boolean): Gap[] {
  return silences.map(({ from, to, causes }) => {
    const kinds = causes.map((cause) => gapKind(cause, isConnected));
    const kind = ORDER.find((candidate) => kinds.includes(candidate)) ?? "unknown";
    return { from: parseTime(from), to: parseTime(to), kind };
  });
}

function gapKind(cause: Silence["causes"][number], isConnected: (node: string) => boolean): GapKind {
  switch (cause.kind) {
    case "damaged":
    case "evicted":
    case "forgotten":
      return "lost";
    case "not-received":
      return "not-received";
    case "nothing-issued":
      return "not-issued";
    case "station-not-connected":
      return "waiting";
    case "waiting-at-station":
      return isConnected(cause.node) ? "backfilled" : "waiting";
    default:
      return "unknown";
  }
}

/** Strokes of a pattern in a cell of 10 pixels, as moves from one point to another. */
export const GAP_PATTERNS: Record<
  GapKind,
  readonly (readonly [x1: number, y1: number, x2: number, y2: number])[]
> = {
  backfilled: [
    [5, 0, 5, 10],
    [2, 6, 5, 10],
    [8, 6, 5, 10],
  ],
  lost: [
    [0, 0, 10, 10],
    [10, 0, 0, 10],
  ],
  "not-issued": [[1, 5, 5, 5]],
  "not-received": [
    [0, 10, 10, 0],
    [-2, 2, 2, -2],
    [8, 12, 12, 8],
  ],
  unknown: [
    [0, 0, 10, 10],
    [-2, 8, 2, 12],
    [8, -2, 12, 2],
  ],
  waiting: [
    [1, 2.5, 4, 2.5],
    [2.5, 1, 2.5, 4],
    [6, 7.5, 9, 7.5],
    [7.5, 6, 7.5, 9],
  ],
};
