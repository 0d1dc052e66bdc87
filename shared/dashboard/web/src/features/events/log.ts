// An event as a row of the log, and which rows are looked for. Pure.
import { parseTime } from "../../format/time";
import type { EventEntry, EventSeverity, HubEvent, NodeEvent } from "../../types";
import { SEVERITIES } from "./routes";

export interface LogRow {
  /** The same for an event from the archive and from the live connection. */
  key: string;
  /** Unix milliseconds. */
  at: number;
  /** `null` where nobody said how much it matters. */
  severity: EventSeverity | null;
  code: string;
  text: string;
  node: string | null;
  /** Who posted it; `null` of what a node or the hub said, or when that is not known yet. */
  author: string | null;
  details: readonly { name: string; value: string }[];
  /** All its words in lower case, made once, because a search looks at every row. */
  words: string;
}

export function rowOf(event: EventEntry | HubEvent | NodeEvent): LogRow {
  const at = parseTime(event.at);
  const node = event.node ?? null;
  const author = ("author" in event ? event.author : null) ?? null;
  return {
    key: `${Math.round(at * 1000)} ${node ?? ""} ${event.code} ${hash(event.text)}`,
    at,
    severity: ("severity" in event ? event.severity : null) ?? null,
    code: event.code,
    text: event.text,
    node,
    author,
    details: "details" in event ? event.details : [],
    words: `${event.code} ${event.text} ${node ?? ""} ${author ?? ""}`.toLowerCase(),
  };
}

/** Short, so that a key fits into an address; two events of one moment and code seldom share it. */
function hash(text: string): string {
  let sum = 5381;
  for (let index = 0; index < text.length; index += 1) sum = (sum * 33 + text.charCodeAt(index)) >>> 0;
  return sum.toString(36);
}

/** When the event of a key was, Unix milliseconds. */
export function timeOfKey(key: string): number {
  return Number(key.slice(0, key.indexOf(" "))) / 1000;
}

/** Whether a row matters enough and has all the words. What nobody graded is never left out for its grade. */
export function matcher(severity: EventSeverity | undefined, text: string): (row: LogRow) => boolean {
  const least = severity === undefined ? 0 : SEVERITIES.indexOf(severity);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) => {
    if (row.severity !== null && SEVERITIES.indexOf(row.severity) < least) return false;
    return words.every((word) => row.words.includes(word));
  };
}
