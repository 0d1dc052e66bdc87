// Reads on in a list of packets that grows, a bounded number of pages at a time.
import { parseTime } from "../../format/time";
import type { PageOf } from "../../table/usePages";
import type { PacketSummary } from "../../types";

export const KEPT_MAX = 5_000;
const FOLLOW_FROM_MS = 60_000;
/** A station's batch may be committed after a later one of another station. */
const OVERLAP_MS = 5_000;
/** Five thousand packets at once; what is faster is not read by a person either. */
const PAGES_MAX = 5;
/** Further behind, reading all that came in between would never catch up. */
const BEHIND_MAX_MS = 15_000;

export interface Kept {
  /** Newest first. */
  packets: readonly PacketSummary[];
  /** Unix milliseconds. */
  since: number;
  /** Where reading ended although there was more, Unix milliseconds; `null` when it came to the end. */
  cutAt: number | null;
  /** Packets in between were passed over. */
  hasSkipped: boolean;
}

/** Earliest first, from Unix milliseconds on. */
type Load = (from: number, cursor: string | null) => Promise<PageOf<PacketSummary>>;

export async function readOn(known: Kept | undefined, now: number, load: Load): Promise<Kept> {
  const since = known?.since ?? now - FOLLOW_FROM_MS;
  const { from, skips } = nextFrom(known, since, now);
  const rows: PacketSummary[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer: PageOf<PacketSummary> = await load(from, cursor);
    rows.push(...answer.rows);
    cursor = answer.next;
    if (cursor === null) break;
  }
  const last = rows.at(-1);
  return {
    packets: joined(known?.packets ?? [], rows),
    since,
    cutAt: cursor === null ? null : last === undefined ? from : parseTime(last.reception_time),
    hasSkipped: skips || (known?.hasSkipped ?? false),
  };
}

/** Behind a cut there is no overlap: with it, a fast list would be read over and over and never get on. */
function nextFrom(known: Kept | undefined, since: number, now: number): { from: number; skips: boolean } {
  const cutAt = known?.cutAt ?? null;
  if (cutAt !== null && cutAt < now - BEHIND_MAX_MS) return { from: now - OVERLAP_MS, skips: true };
  if (cutAt !== null) return { from: cutAt, skips: false };
  const newest = known?.packets[0];
  return { from: newest === undefined ? since : parseTime(newest.reception_time) - OVERLAP_MS, skips: false };
}

/** Newest first, each packet once. */
function joined(known: readonly PacketSummary[], fresh: readonly PacketSummary[]): readonly PacketSummary[] {
  const ids = new Set(known.map((packet) => packet.id));
  const news = fresh.filter((packet) => !ids.has(packet.id));
  if (news.length === 0) return known;
  return [...known, ...news]
    .map((packet) => ({ packet, at: parseTime(packet.reception_time) }))
    .sort((a, b) => b.at - a.at)
    .slice(0, KEPT_MAX)
    .map(({ packet }) => packet);
}
