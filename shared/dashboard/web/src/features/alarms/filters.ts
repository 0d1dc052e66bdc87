// Which alarms are shown and in what order, as the address says it.
import type { Alarm, AlarmSeverity, AlarmState } from "../../types";
import { SEVERITIES, severityOf, sinceOf, urgencyOf } from "./alarm";

/** An alarm with the mission it belongs to, which its contract does not repeat. */
export interface MissionAlarm {
  mission: string;
  alarm: Alarm;
}

export const STATE_FILTERS = [
  "unacknowledged",
  "acknowledged",
  "latched",
  "shelved",
  "suppressed",
  "closed",
] as const;
export type StateFilter = (typeof STATE_FILTERS)[number];

export const STATE_FILTER_WORDS: Record<StateFilter, string> = {
  unacknowledged: "unacknowledged",
  acknowledged: "acknowledged",
  latched: "latched",
  shelved: "shelved",
  suppressed: "out of service",
  closed: "closed, and found in late data",
};

const STATES: Record<StateFilter, readonly AlarmState[]> = {
  unacknowledged: ["active-unacknowledged", "cleared-unacknowledged"],
  acknowledged: ["active-acknowledged"],
  latched: ["latched"],
  shelved: ["shelved"],
  suppressed: ["out-of-service", "suppressed-by-design"],
  closed: ["normal"],
};

export const SORT_KEYS = ["severity", "state", "subject", "since", "count", "owner"] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export interface AlarmSearch {
  /** The alarm that is opened, and of which mission where the page shows several. */
  alarm?: string;
  of?: string;
  at_least?: AlarmSeverity;
  state?: StateFilter;
  /** In the parameter, detector, rule, mission or owner. */
  q?: string;
  mine?: true;
  /** Without it by urgency. With `-` in front: the other way round. */
  sort?: SortKey | `-${SortKey}`;
  view?: "causes";
}

export function readSearch(search: Record<string, unknown>): AlarmSearch {
  const read: AlarmSearch = {};
  if (typeof search.alarm === "string") read.alarm = search.alarm;
  if (typeof search.of === "string") read.of = search.of;
  const severity = SEVERITIES.find((known) => known === search.at_least);
  if (severity !== undefined) read.at_least = severity;
  const state = STATE_FILTERS.find((known) => known === search.state);
  if (state !== undefined) read.state = state;
  if (search.q !== undefined && search.q !== "") read.q = String(search.q);
  if (search.mine === true) read.mine = true;
  const sort = SORT_KEYS.flatMap((key) => [key, `-${key}` as const]).find((known) => known === search.sort);
  if (sort !== undefined) read.sort = sort;
  if (search.view === "causes") read.view = "causes";
  return read;
}

/** Alarms that pass the filters, in the order asked for. */
export function shown(rows: readonly MissionAlarm[], search: AlarmSearch, me: string): MissionAlarm[] {
  const words = (search.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const least = search.at_least === undefined ? 0 : SEVERITIES.indexOf(search.at_least);
  const states = search.state === undefined ? null : STATES[search.state];
  const passes = ({ mission, alarm }: MissionAlarm) => {
    if (SEVERITIES.indexOf(severityOf(alarm)) < least) return false;
    if (states !== null && !states.includes(alarm.state)) return false;
    if (search.mine && !alarm.owners.includes(me)) return false;
    if (words.length === 0) return true;
    const text = [mission, alarm.parameter, alarm.detector, alarm.rule, ...alarm.owners]
      .join(" ")
      .toLowerCase();
    return words.every((word) => text.includes(word));
  };
  // Looked up once for each, not at each comparison: there may be thousands.
  const keyed = rows.filter(passes).map((row) => ({ row, urgency: urgencyOf(row.alarm) }));
  return keyed.sort(ordered(search.sort)).map(({ row }) => row);
}

interface Keyed {
  row: MissionAlarm;
  urgency: number;
}

function ordered(sort: AlarmSearch["sort"]): (a: Keyed, b: Keyed) => number {
  const urgency = (a: Keyed, b: Keyed) =>
    a.urgency - b.urgency || compareText(a.row.alarm.id, b.row.alarm.id);
  if (sort === undefined) return urgency;
  const down = sort.startsWith("-");
  const compare = COMPARISONS[(down ? sort.slice(1) : sort) as SortKey];
  return (a, b) => (down ? -1 : 1) * compare(a.row, b.row) || urgency(a, b);
}

const COMPARISONS: Record<SortKey, (a: MissionAlarm, b: MissionAlarm) => number> = {
  severity: (a, b) => rank(b.alarm) - rank(a.alarm),
  state: (a, b) => compareText(a.alarm.state, b.alarm.state),
  subject: (a, b) => compareText(a.alarm.parameter, b.alarm.parameter),
  since: (a, b) => sinceOf(b.alarm) - sinceOf(a.alarm),
  count: (a, b) => b.alarm.occurrences - a.alarm.occurrences,
  owner: (a, b) => compareText(a.alarm.owners[0] ?? "\uffff", b.alarm.owners[0] ?? "\uffff"),
};

function rank(alarm: Alarm): number {
  return SEVERITIES.indexOf(severityOf(alarm));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The sort a click on a column's head asks for: its own order, the other way round, then urgency again. */
export function nextSort(sort: AlarmSearch["sort"], key: SortKey): AlarmSearch["sort"] {
  if (sort === key) return `-${key}`;
  return sort === `-${key}` ? undefined : key;
}

/** In groups that keep the order. */
export function grouped<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
