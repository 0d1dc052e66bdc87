import { expect, test } from "vitest";
import { MockAlarms } from "../../mock/alarmState";
import type { AlarmSeverity } from "../../types";
import { Announcer, BATCH_MS } from "./announce";

const SILENT = { assertive: null, polite: null, tone: null };

/** A list of one mission's alarms that changes as the live stream's does: another array each time. */
class List {
  readonly alarms = new MockAlarms(() => 0);

  raise(severity: AlarmSeverity, many = 1): void {
    for (let n = 0; n < many; n += 1)
      this.alarms.raise({ parameter: `/p/${severity}`, severity, minutes: 0 });
  }

  get rows() {
    return this.alarms.open.map((alarm) => ({ mission: "demo", alarm: structuredClone(alarm) }));
  }
}

test("what was there when the page was opened is no news", () => {
  const list = new List();
  list.raise("critical", 3);
  const announcer = new Announcer();
  expect(announcer.next([], false, 0)).toEqual(SILENT);
  expect(announcer.next(list.rows, true, 0)).toEqual(SILENT);
  expect(announcer.next(list.rows, true, 250)).toEqual(SILENT);
});

test("a new critical alarm is said at once, and once", () => {
  const list = new List();
  const announcer = new Announcer();
  announcer.next(list.rows, true, 0);
  list.raise("critical");
  const said = announcer.next(list.rows, true, 250);
  expect(said).toEqual({
    assertive: "New critical alarm: /p/critical, mission demo.",
    polite: null,
    tone: "high",
  });
  expect(announcer.next(list.rows, true, 500)).toEqual(SILENT);
});

test("less severe ones are put together, no oftener than every five seconds", () => {
  const list = new List();
  const announcer = new Announcer();
  announcer.next(list.rows, true, 0);
  list.raise("warning");
  expect(announcer.next(list.rows, true, 250)).toEqual({
    assertive: null,
    polite: "1 new alarm: 1 warning.",
    tone: "low",
  });
  list.raise("watch", 2);
  list.raise("distress");
  expect(announcer.next(list.rows, true, 500)).toEqual({ assertive: null, polite: null, tone: "middle" });
  expect(announcer.next(list.rows, true, 249 + BATCH_MS).polite).toBeNull();
  expect(announcer.next(list.rows, true, 250 + BATCH_MS).polite).toBe("3 new alarms: 1 distress, 2 watch.");
});

test("an alarm that gets worse is news, one that is acknowledged or shelved is not", () => {
  const list = new List();
  list.raise("warning");
  const announcer = new Announcer();
  announcer.next(list.rows, true, 0);
  const [history] = list.alarms.histories;
  if (history === undefined) throw new Error("one was raised");
  list.alarms.worsen(history.alarm.id, "severe");
  expect(announcer.next(list.rows, true, 250).assertive).toBe("New severe alarm: /p/warning, mission demo.");
  list.alarms.act(history, { act: { shelve: { until: new Date(60_000).toISOString() } } });
  expect(announcer.next(list.rows, true, 500)).toEqual(SILENT);
});
