// Many alarms at once: grouped by where they come from, with the one to look at first.
import { duration } from "../../format/time";
import type { AlarmSeverity } from "../../types";
import { firstOf, SEVERITIES, severityOf, sinceOf } from "./alarm";
import { grouped, type MissionAlarm } from "./filters";
import type { SiteOf } from "./useSites";

/** The flood of ISA-18.2: more than one person can look at. */
export const FLOOD_ALARMS = 10;
export const FLOOD_WINDOW_MS = 10 * 60_000;

export interface Rates {
  /** New within ten minutes. */
  recent: number;
  perHour: number;
  isFlood: boolean;
}

export function ratesOf(rows: Iterable<MissionAlarm>, now: number): Rates {
  let recent = 0;
  let perHour = 0;
  for (const { alarm } of rows) {
    if (alarm.is_retrospective) continue;
    const howOld = now - sinceOf(alarm);
    if (howOld < FLOOD_WINDOW_MS) recent += 1;
    if (howOld < 3_600_000) perHour += 1;
  }
  return { recent, perHour, isFlood: recent > FLOOD_ALARMS };
}

export interface CauseGroup {
  key: string;
  /** What holds them together, in words. */
  title: string;
  worst: AlarmSeverity;
  ringing: number;
  /** The first one first, then by the time of their first sample. */
  members: MissionAlarm[];
  /** Since the first of them, `2 min`. */
  span: string;
}

/** By what the server put together; the others by station or by subsystem. Worst group first, then the older one. */
export function groupsOf(rows: readonly MissionAlarm[], siteOf: SiteOf, now: number): CauseGroup[] {
  const groups = [...grouped(rows, (row) => keyOf(row, siteOf))].map(([key, unsorted]) => {
    const firstOut = unsorted[0]?.alarm.group?.first_out;
    const isFirst = (row: MissionAlarm) => Number(row.alarm.id === firstOut);
    const members = unsorted.toSorted(
      (a, b) => isFirst(b) - isFirst(a) || firstOf(a.alarm) - firstOf(b.alarm),
    );
    const severities = members.map(({ alarm }) => SEVERITIES.indexOf(severityOf(alarm)));
    const began = Math.min(...members.slice(0, 1).map(({ alarm }) => firstOf(alarm)));
    return {
      key,
      title: key.slice(key.indexOf("\n") + 1),
      worst: SEVERITIES[Math.max(...severities)] ?? "watch",
      ringing: members.filter(({ alarm }) => alarm.rings).length,
      members,
      span: duration(now - began),
      began,
    };
  });
  return groups.sort(
    (a, b) => SEVERITIES.indexOf(b.worst) - SEVERITIES.indexOf(a.worst) || a.began - b.began,
  );
}

/** What tells groups apart, a line end, and what they are called. */
function keyOf({ mission, alarm }: MissionAlarm, siteOf: SiteOf): string {
  const { group, node, parameter } = alarm;
  if (group)
    return `${mission} ${group.first_out}\n${group.kind === "flood" ? "flood" : (group.relation ?? "related")}`;
  if (node) return `node ${node}\nstation ${siteOf(node)}`;
  const folder = parameter.slice(0, Math.max(0, parameter.lastIndexOf("/")));
  return `${mission} folder ${folder}\n${folder === "" ? parameter : folder}`;
}
