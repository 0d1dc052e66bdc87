// What is said aloud of new alarms: a critical one at once and once, all others together every few seconds.
import { plural } from "../../format/quantity";
import { SEVERITIES, severityOf } from "./alarm";
import type { MissionAlarm } from "./filters";

/** Polite announcements come no closer than this. */
export const BATCH_MS = 5_000;

export type Tone = "high" | "low" | "middle";

/** What is to be said now; `null` where nothing is. */
export interface Announcement {
  assertive: string | null;
  polite: string | null;
  /** The tone of the worst new one. */
  tone: Tone | null;
}

/** Holds no clock: the caller says what is there and when. */
export class Announcer {
  /** Notices that were there before; `null` until the first complete list, which is no news. */
  private known: Set<string> | null = null;
  private last: readonly MissionAlarm[] | null = null;
  private readonly waiting = new Map<string, number>();
  private quietUntil = 0;

  next(rows: readonly MissionAlarm[], complete: boolean, now: number): Announcement {
    const said: Announcement = { assertive: null, polite: null, tone: null };
    if (!complete) return said;
    const fresh = rows === this.last ? [] : this.freshIn(rows);
    this.last = rows;
    const critical = fresh.filter(({ alarm }) => rankOf(alarm) >= CRITICAL);
    if (critical.length > 0) said.assertive = criticalText(critical);
    for (const { alarm } of fresh) {
      if (rankOf(alarm) >= CRITICAL) continue;
      const severity = severityOf(alarm);
      this.waiting.set(severity, (this.waiting.get(severity) ?? 0) + 1);
    }
    if (this.waiting.size > 0 && now >= this.quietUntil) {
      said.polite = politeText(this.waiting);
      this.waiting.clear();
      this.quietUntil = now + BATCH_MS;
    }
    said.tone = toneOf(fresh);
    return said;
  }

  private freshIn(rows: readonly MissionAlarm[]): MissionAlarm[] {
    const known = this.known;
    const now = new Set<string>();
    const fresh: MissionAlarm[] = [];
    for (const row of rows) {
      const notices = row.alarm.unacknowledged;
      for (const { entry } of notices) now.add(entry);
      if (known !== null && row.alarm.rings && notices.some(({ entry }) => !known.has(entry)))
        fresh.push(row);
    }
    this.known = now;
    return fresh;
  }
}

const CRITICAL = SEVERITIES.indexOf("critical");
const DISTRESS = SEVERITIES.indexOf("distress");

function rankOf(alarm: MissionAlarm["alarm"]): number {
  return SEVERITIES.indexOf(severityOf(alarm));
}

function toneOf(fresh: readonly MissionAlarm[]): Tone | null {
  if (fresh.length === 0) return null;
  const worst = Math.max(...fresh.map(({ alarm }) => rankOf(alarm)));
  return worst >= CRITICAL ? "high" : worst >= DISTRESS ? "middle" : "low";
}

function criticalText(critical: readonly MissionAlarm[]): string {
  const [first] = critical;
  const name = first === undefined ? "" : `${first.alarm.parameter}, mission ${first.mission}`;
  const severity = first === undefined ? "critical" : severityOf(first.alarm);
  return critical.length === 1
    ? `New ${severity} alarm: ${name}.`
    : `${critical.length} new critical alarms, among them ${name}.`;
}

function politeText(waiting: ReadonlyMap<string, number>): string {
  const parts = SEVERITIES.toReversed().flatMap((severity) => {
    const many = waiting.get(severity);
    return many === undefined ? [] : [`${many} ${severity}`];
  });
  const total = [...waiting.values()].reduce((sum, many) => sum + many, 0);
  return `${plural(total, "new alarm")}: ${parts.join(", ")}.`;
}
