// Joins events that were read with those that came since, newest first. Pure.
import { parseTime } from "../../../format/time";
import type { EventEntry } from "../../../types";

export type EventSeverity = NonNullable<EventEntry["severity"]>;

const RANK: Record<EventSeverity, number> = { info: 0, warning: 1, error: 2 };

/** An event that came both ways is one. Without a severity it is shown whatever is asked for. */
export function joinEvents(
  read: readonly EventEntry[],
  live: readonly EventEntry[],
  least: EventSeverity,
): EventEntry[] {
  const distinct = new Map([...read, ...live].map((event) => [eventKey(event), event]));
  return [...distinct.values()]
    .filter(({ severity }) => !severity || (RANK[severity] ?? 2) >= RANK[least])
    .sort((a, b) => parseTime(b.at) - parseTime(a.at));
}

export function eventKey({ at, code, node, text }: EventEntry): string {
  return JSON.stringify([at, code, node ?? null, text]);
}
