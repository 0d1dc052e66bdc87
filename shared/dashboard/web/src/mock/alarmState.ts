// Alarms of one mission in memory that take acts as the server does.
import type {
  Alarm,
  AlarmAcknowledged,
  AlarmAcknowledgements,
  AlarmActRequest,
  AlarmEntry,
  AlarmEscalation,
  AlarmHistory,
} from "../types";
import { nodeId } from "./nodes";

export interface NewAlarm {
  parameter: string;
  severity: NonNullable<Alarm["severity"]>;
  /** Before now. */
  minutes: number;
  id?: string;
  detector?: string;
  cause?: Alarm["cause"];
  group?: Alarm["group"];
  /** The name of the node it is about. */
  node?: string;
  /** The worst value so far, where it is not the one that raised it. */
  worst?: number;
  /** Found in late data: closed from the beginning. */
  late?: boolean;
}

type Refusal = { code: string; detail: string };
const refused = (code: string, detail: string): Refusal => ({ code, detail });

/** The longest that an alarm may be silent, and the longest without a reason. */
const SHELVED_MAX_MS = 8 * 3_600_000;
const WITHOUT_NOTE_MS = 3_600_000;
const LADDER = [
  { minutes: 0, contacts: ["control room"] },
  { minutes: 15, contacts: ["kari"] },
  { minutes: 30, contacts: ["duty system", "kari"] },
];

export class MockAlarms {
  readonly histories: AlarmHistory[] = [];
  private made = 0;

  constructor(private readonly now: () => number) {}

  get open(): Alarm[] {
    return this.histories.map(({ alarm }) => alarm).filter(({ state }) => state !== "normal");
  }

  get closed(): Alarm[] {
    return this.histories.map(({ alarm }) => alarm).filter(({ state }) => state === "normal");
  }

  find(id: string): AlarmHistory | undefined {
    return this.histories.find(({ alarm }) => alarm.id === id);
  }

  raise(wanted: NewAlarm): AlarmHistory {
    const { parameter, severity, minutes, late = false } = wanted;
    this.made += 1;
    const at = new Date(this.now() - minutes * 60_000).toISOString();
    const id = wanted.id ?? this.made.toString(16).padStart(32, "0");
    const cause = wanted.cause ?? { seen: 23.1, threshold: 24, expected: null, score: null, model: null };
    const entry = `e${id.slice(1)}`;
    const worstAt = wanted.worst === undefined ? at : new Date(Date.parse(at) + 60_000).toISOString();
    const worst = wanted.worst ?? cause.seen;
    const alarm: Alarm = {
      id,
      detector: wanted.detector ?? "limits",
      parameter,
      node: wanted.node === undefined ? null : idIn(wanted.node),
      first: at,
      since: late ? null : at,
      state: late ? "normal" : "active-unacknowledged",
      process: late ? "normal" : "active-unacknowledged",
      rings: !late,
      severity: late ? null : severity,
      worst: severity,
      rule: "power",
      cause,
      worst_value: typeof worst === "number" ? { value: worst, generation_time: worstAt } : null,
      occurrences: 1,
      recurrences: 0,
      is_retrospective: late,
      unacknowledged: late ? [] : [{ entry, severity, generation_time: at }],
      shelved_until: null,
      suppression: null,
      owners: [],
      usefulness: [],
      group: wanted.group ?? null,
    };
    const fact: AlarmEntry["fact"] = {
      kind: "raised",
      generation_time: at,
      live: !late,
      severity,
      rule: "power",
      rules_version: 3,
      cause,
    };
    const raised: AlarmEntry = {
      id: entry,
      recorded: at,
      node: idIn("svalbard-1"),
      by: null,
      note: null,
      fact,
    };
    const history = { alarm, entries: [raised] };
    if (wanted.worst !== undefined)
      history.entries.push({
        ...raised,
        id: `c${id.slice(1)}`,
        recorded: worstAt,
        fact: {
          kind: "reached",
          generation_time: worstAt,
          live: !late,
          cause: { ...cause, seen: wanted.worst },
        },
      });
    this.histories.push(history);
    return history;
  }

  /** The same alarm gets worse: somebody has to look again. */
  worsen(id: string, severity: NonNullable<Alarm["severity"]>): void {
    const history = this.find(id);
    if (history === undefined) return;
    const at = new Date(this.now()).toISOString();
    const entry = `f${id.slice(1)}`;
    const cause = { seen: 21.4, threshold: 22, expected: null, score: null, model: null };
    const fact: AlarmEntry["fact"] = { kind: "worsened", generation_time: at, live: true, severity, cause };
    history.entries.push({ id: entry, recorded: at, node: idIn("svalbard-1"), by: null, note: null, fact });
    const worst_value = { value: cause.seen, generation_time: at };
    Object.assign(history.alarm, { severity, worst: severity, cause, worst_value, rings: true });
    history.alarm.unacknowledged.push({ entry, severity, generation_time: at });
    history.alarm.process = "active-unacknowledged";
    this.settle(history.alarm);
  }

  acknowledge({ alarms, note }: AlarmAcknowledgements): AlarmAcknowledged {
    const answer: AlarmAcknowledged = { done: [], refused: [] };
    for (const { alarm, notices, id } of alarms) {
      const history = this.find(alarm);
      const why =
        history === undefined
          ? refused("STO-ALARM-UNKNOWN", "there is no such alarm")
          : this.act(history, { act: { acknowledge: { notices } }, note: note ?? null, id: id ?? null });
      if (why === null) answer.done.push(alarm);
      else answer.refused.push({ alarm, ...why });
    }
    return answer;
  }

  /** Why an act is refused, or `null` when it was done, now or before. */
  act(history: AlarmHistory, { act, note, id }: AlarmActRequest): Refusal | null {
    if (history.entries.some((entry) => entry.id === id)) return null;
    const { alarm } = history;
    const fact = this.factOf(history, act, note ?? "");
    if ("code" in fact) return fact;
    apply(alarm, fact);
    this.settle(alarm);
    history.entries.push({
      id: id ?? `${this.now().toString(16)}${history.entries.length}`.padStart(32, "d"),
      recorded: new Date(this.now()).toISOString(),
      node: null,
      by: "operator",
      note: note ?? null,
      fact,
    });
    return null;
  }

  /** Where it is on the mock's only ladder. */
  escalation({ alarm, entries }: AlarmHistory): AlarmEscalation {
    const [notice] = alarm.unacknowledged;
    if (notice === undefined || !alarm.rings)
      return { ended: "nobody is told of an alarm that does not ring" };
    const hastened = entries.flatMap(({ fact }) => (fact.kind === "escalated" ? [fact.step] : []));
    const since = Date.parse(alarm.since ?? alarm.first);
    const next = LADDER.map((step, index) => ({ ...step, step: index + 1 })).find(
      ({ step, minutes }) => !hastened.includes(step) && since + minutes * 60_000 > this.now(),
    );
    if (next === undefined) return { ended: "everybody on the ladder has been told" };
    return {
      next: {
        rung: { notice: notice.entry, ladder: "usual", step: next.step, round: 0 },
        due: new Date(since + next.minutes * 60_000).toISOString(),
        contacts: next.contacts,
      },
    };
  }

  private factOf(
    history: AlarmHistory,
    act: AlarmActRequest["act"],
    note: string,
  ): AlarmEntry["fact"] | Refusal {
    const { alarm } = history;
    if ("acknowledge" in act) {
      const open = alarm.unacknowledged.map((notice) => notice.entry);
      const covered = (act.acknowledge.notices ?? open).filter((entry) => open.includes(entry));
      if (covered.length === 0) return refused("STO-ALARM-ACT", "nothing that was shown is unacknowledged");
      return { kind: "acknowledged", notices: covered };
    }
    if ("assign" in act) return { kind: "assigned", to: act.assign.to ?? null };
    if ("escalate" in act) {
      const { next, ended } = this.escalation(history);
      if (!next) return refused("STO-ALARM-ACT", `${ended}; nothing was changed`);
      const { notice: _, ...rung } = next.rung;
      return { kind: "escalated", ...rung };
    }
    if ("judge" in act) return { kind: "judged", usefulness: act.judge.usefulness };
    if ("reset" in act) return { kind: "reset" };
    if ("restore" in act) return { kind: "restored" };
    if ("unshelve" in act) return { kind: "unshelved" };
    if ("suppress" in act) {
      const { kind, order, until } = act.suppress;
      return { kind: "suppressed", suppression: kind, order, until: until ?? null };
    }
    if ("shelve" in act) {
      const length = Date.parse(act.shelve.until) - this.now();
      if (length > SHELVED_MAX_MS) return refused("STO-ALARM-ACT", "it may be shelved for 8 h at most");
      if (length > WITHOUT_NOTE_MS && note === "")
        return refused("STO-ALARM-ACT", "shelving for more than 1 h needs a note");
      return { kind: "shelved", until: act.shelve.until, severity: alarm.severity ?? "watch" };
    }
    return note === "" ? refused("STO-ALARM-ACT", "a comment needs a note") : { kind: "commented" };
  }

  /** What counts follows from the process and from what people wanted. */
  private settle(alarm: Alarm): void {
    const silenced =
      alarm.suppression === "by-design"
        ? "suppressed-by-design"
        : alarm.suppression === "out-of-service"
          ? "out-of-service"
          : alarm.shelved_until
            ? "shelved"
            : null;
    alarm.state = silenced ?? alarm.process;
    alarm.rings = silenced === null && alarm.unacknowledged.length > 0;
  }
}

/** A node as alarms name it. */
function idIn(node: string): string {
  return nodeId(node).replaceAll("-", "");
}

function apply(alarm: Alarm, fact: AlarmEntry["fact"]): void {
  switch (fact.kind) {
    case "acknowledged":
      alarm.unacknowledged = alarm.unacknowledged.filter(({ entry }) => !fact.notices.includes(entry));
      if (alarm.unacknowledged.length === 0) alarm.process = "active-acknowledged";
      return;
    case "assigned":
      alarm.owners = fact.to ? [fact.to] : [];
      return;
    case "judged":
      alarm.usefulness = [fact.usefulness];
      return;
    case "reset":
      alarm.process = "normal";
      return;
    case "restored":
      alarm.suppression = null;
      return;
    case "shelved":
      alarm.shelved_until = fact.until;
      return;
    case "suppressed":
      alarm.suppression = fact.suppression;
      return;
    case "unshelved":
      alarm.shelved_until = null;
      return;
    default:
      return;
  }
}
