// What was selected, as it was seen then: an act covers what its author saw, and nothing that came since.
import type { Alarm, AlarmAcknowledgements, AlarmSeverity, AlarmState } from "../../types";
import { newActId, severityOf, stateText } from "./alarm";
import { grouped, type MissionAlarm } from "./filters";

export interface Seen {
  mission: string;
  id: string;
  parameter: string;
  severity: AlarmSeverity;
  state: AlarmState;
  /** The notices that were unacknowledged when it was selected. */
  notices: readonly string[];
}

export interface Left {
  seen: Seen;
  why: string;
}

export interface Plan {
  will: Seen[];
  /** Left as they are, because somebody should look at them again. */
  changed: Left[];
  /** There is nothing to do about these. */
  nothing: Left[];
}

export function see({ mission, alarm }: MissionAlarm): Seen {
  return {
    mission,
    id: alarm.id,
    parameter: alarm.parameter,
    severity: severityOf(alarm),
    state: alarm.state,
    notices: alarm.unacknowledged.map((notice) => notice.entry),
  };
}

export type Deed = "acknowledge" | "assign" | "shelve";

/** Which alarms an act will change. `now` answers an alarm as it is, or nothing when it is open no more. */
export function planFor(deed: Deed, selected: Iterable<Seen>, now: (id: string) => Alarm | undefined): Plan {
  const plan: Plan = { will: [], changed: [], nothing: [] };
  for (const seen of selected) {
    const alarm = now(seen.id);
    const changed = changeSince(seen, alarm);
    const idle = deed === "acknowledge" && seen.notices.length === 0 ? "nothing is unacknowledged" : null;
    if (changed !== null) plan.changed.push({ seen, why: changed });
    else if (idle !== null) plan.nothing.push({ seen, why: idle });
    else plan.will.push(seen);
  }
  return plan;
}

/** What is different since it was selected, in words; `null` when it is as it was. */
export function changeSince(seen: Seen, alarm: Alarm | undefined): string | null {
  if (alarm === undefined || alarm.state === "normal") return "closed since";
  const severity = severityOf(alarm);
  if (severity !== seen.severity) return `now ${severity}, was ${seen.severity}`;
  const notices = new Set(alarm.unacknowledged.map((notice) => notice.entry));
  const known = new Set(seen.notices);
  if ([...notices].some((notice) => !known.has(notice))) return "it came again";
  if (alarm.state !== seen.state || notices.size !== known.size) return `now ${stateText(alarm)}`;
  return null;
}

/** The most alarms that the server takes at once. */
const ACKNOWLEDGED_AT_ONCE = 1_000;

export interface Batch {
  mission: string;
  body: AlarmAcknowledgements;
}

/** Requests that acknowledge exactly what was seen; each has its ids, so that a lost answer can be asked for again. */
export function acknowledgements(will: readonly Seen[], note: string): Batch[] {
  const batches: Batch[] = [];
  for (const [mission, seen] of grouped(will, (one) => one.mission))
    for (let at = 0; at < seen.length; at += ACKNOWLEDGED_AT_ONCE)
      batches.push({
        mission,
        body: {
          alarms: seen
            .slice(at, at + ACKNOWLEDGED_AT_ONCE)
            .map(({ id, notices }) => ({ alarm: id, notices: [...notices], id: newActId() })),
          ...(note.trim() === "" ? {} : { note }),
        },
      });
  return batches;
}
