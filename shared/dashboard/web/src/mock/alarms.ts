// A few alarms in memory that take acts as the server does, as far as the page shows it.
import type { Alarm, AlarmActRequest, AlarmEntry, AlarmHistory, Alarms } from "../types";

const hex = (digit: number) => `a${digit.toString(16).repeat(31)}`;

interface Made {
  id: number;
  parameter: string;
  severity: NonNullable<Alarm["severity"]>;
  minutes: number;
  group?: Alarm["group"];
}

export class MockAlarms {
  private readonly histories: AlarmHistory[];

  constructor(private readonly now: () => number) {
    const group = (first: number): Alarm["group"] => ({
      kind: "related",
      relation: "power",
      first_out: hex(first),
      members: 2,
      severity: "critical",
    });
    this.histories = [
      this.made({
        id: 1,
        parameter: "/aurora/eps/bus_voltage",
        severity: "warning",
        minutes: 12,
        group: group(1),
      }),
      this.made({
        id: 2,
        parameter: "/aurora/eps/battery_voltage",
        severity: "critical",
        minutes: 11,
        group: group(1),
      }),
      this.made({ id: 3, parameter: "/aurora/thermal/tank_temperature", severity: "watch", minutes: 90 }),
    ];
  }

  list(): Alarms {
    const alarms = this.histories.map((history) => history.alarm);
    return { alarms, next: null, open: alarms.length, left_out: 0 };
  }

  find(id: string): AlarmHistory | undefined {
    return this.histories.find((history) => history.alarm.id === id);
  }

  /** Why an act is refused, or `null` when it was done. */
  act(history: AlarmHistory, { act, note, id }: AlarmActRequest): string | null {
    if (history.entries.some((entry) => entry.id === id)) return null;
    const { alarm } = history;
    let fact: AlarmEntry["fact"];
    if ("acknowledge" in act) {
      if (alarm.unacknowledged.length === 0) return "nothing that was shown is unacknowledged";
      fact = { kind: "acknowledged", notices: act.acknowledge.notices ?? [] };
      Object.assign(alarm, {
        state: "active-acknowledged",
        process: "active-acknowledged",
        unacknowledged: [],
        rings: false,
      });
    } else if ("shelve" in act) {
      fact = { kind: "shelved", until: act.shelve.until, severity: alarm.severity ?? "watch" };
      Object.assign(alarm, { state: "shelved", rings: false, shelved_until: act.shelve.until });
    } else if ("unshelve" in act) {
      fact = { kind: "unshelved" };
      Object.assign(alarm, {
        state: alarm.process,
        rings: alarm.unacknowledged.length > 0,
        shelved_until: null,
      });
    } else fact = { kind: "commented" };
    history.entries.push({
      id: id ?? hex(15),
      recorded: new Date(this.now()).toISOString(),
      node: null,
      by: "operator",
      note: note ?? null,
      fact,
    });
    return null;
  }

  private made({ id, parameter, severity, minutes, group }: Made): AlarmHistory {
    const at = new Date(this.now() - minutes * 60_000).toISOString();
    const cause = { seen: 23.1, threshold: 24, expected: null, score: null, model: null };
    const entry = hex(id + 8);
    const alarm: Alarm = {
      id: hex(id),
      detector: "limits",
      parameter,
      node: null,
      first: at,
      since: at,
      state: "active-unacknowledged",
      process: "active-unacknowledged",
      rings: true,
      severity,
      worst: severity,
      rule: "power",
      cause,
      occurrences: 1,
      recurrences: 0,
      is_retrospective: false,
      unacknowledged: [{ entry, severity, generation_time: at }],
      shelved_until: null,
      suppression: null,
      owners: [],
      usefulness: [],
      group: group ?? null,
    };
    const raised: AlarmEntry = {
      id: entry,
      recorded: at,
      node: "07".repeat(16),
      by: null,
      note: null,
      fact: {
        kind: "raised",
        generation_time: at,
        live: true,
        severity,
        rule: "power",
        rules_version: 3,
        cause,
      },
    };
    return { alarm, entries: [raised] };
  }
}
