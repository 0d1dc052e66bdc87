import { expect, test } from "vitest";
import { MockAlarms } from "../../mock/alarmState";
import { nextSort, readSearch, shown } from "./filters";
import { groupsOf, ratesOf } from "./flood";
import { AlarmRows, liveSource } from "./rows";
import { acknowledgements, planFor, see } from "./selection";

const NOW = Date.parse("2026-11-23T12:00:00Z");

function state(): MockAlarms {
  return new MockAlarms(() => NOW);
}

function rowsOf(alarms: MockAlarms) {
  return alarms.open.map((alarm) => ({ mission: "demo", alarm }));
}

test("10,000 alarms are filtered and sorted, each once", () => {
  const alarms = state();
  const severities = ["watch", "warning", "distress", "critical", "severe"] as const;
  for (let n = 0; n < 10_000; n += 1)
    alarms.raise({ parameter: `/p/${n}`, severity: severities[n % 5] ?? "watch", minutes: n });
  const rows = rowsOf(alarms);
  const found = shown(rows, { at_least: "critical", q: "/P/ limits" }, "me");
  expect(found).toHaveLength(4_000);
  expect(new Set(found.map((row) => row.alarm.id)).size).toBe(4_000);
  expect(found.slice(0, 2).map((row) => row.alarm.parameter)).toEqual(["/p/9999", "/p/9994"]);
  expect(shown(rows, { sort: "since" }, "me")[0]?.alarm.parameter).toBe("/p/0");
});

test("an address with anything in it is read as far as it makes sense", () => {
  const wild = { at_least: "<b>", state: 7, q: 12, mine: "yes", sort: "-owner", view: "x", alarm: ["a"] };
  expect(readSearch(wild)).toEqual({ q: "12", sort: "-owner" });
});

test("a column sorts one way, the other way, and then by urgency again", () => {
  expect(nextSort(undefined, "count")).toBe("count");
  expect(nextSort("count", "count")).toBe("-count");
  expect(nextSort("-count", "count")).toBeUndefined();
});

test("of a list that did not change the same array comes", () => {
  const alarms = state();
  alarms.raise({ parameter: "/p", severity: "watch", minutes: 1 });
  const known = (version: number) => ({
    alarms: new Map(alarms.open.map((alarm) => [alarm.id, alarm])),
    complete: true,
    version,
  });
  const rows = new AlarmRows();
  const first = rows.of([liveSource("demo", known(1)), liveSource("other", null)]);
  expect(rows.of([liveSource("demo", known(1)), liveSource("other", null)])).toBe(first);
  const next = rows.of([liveSource("demo", known(2)), liveSource("other", null)]);
  expect(next).not.toBe(first);
  expect(next).toEqual(first);
});

test("a plan leaves out what came again, what is closed, and what needs nothing", () => {
  const alarms = state();
  const [again, closed, idle, still] = ["again", "closed", "idle", "still"].map((parameter) =>
    alarms.raise({ parameter, severity: "warning", minutes: 1 }),
  );
  if (again === undefined || closed === undefined || idle === undefined || still === undefined)
    throw new Error("four were raised");
  alarms.act(idle, { act: { acknowledge: {} } });
  const selected = rowsOf(alarms).map(see);
  alarms.worsen(again.alarm.id, "warning");
  closed.alarm.state = "normal";
  const plan = planFor("acknowledge", selected, (id) => alarms.find(id)?.alarm);
  expect(plan.will.map((seen) => seen.parameter)).toEqual(["still"]);
  expect(plan.changed.map(({ seen, why }) => `${seen.parameter}: ${why}`)).toEqual([
    "again: it came again",
    "closed: closed since",
  ]);
  expect(plan.nothing.map(({ seen }) => seen.parameter)).toEqual(["idle"]);
});

test("only the notices that were seen are acknowledged, at most 1,000 alarms at once, by mission", () => {
  const alarms = state();
  for (let n = 0; n < 1_001; n += 1) alarms.raise({ parameter: `/p/${n}`, severity: "watch", minutes: 1 });
  const other = { ...see({ mission: "other", alarm: alarms.open[0] as never }), notices: ["e1"] };
  const batches = acknowledgements([...rowsOf(alarms).map(see), other], " ");
  expect(batches.map(({ mission, body }) => [mission, body.alarms.length])).toEqual([
    ["demo", 1_000],
    ["demo", 1],
    ["other", 1],
  ]);
  expect(batches[2]?.body.alarms[0]?.notices).toEqual(["e1"]);
  expect(batches[2]?.body.note).toBeUndefined();
  const ids = batches.flatMap(({ body }) => body.alarms.map(({ id }) => id));
  expect(new Set(ids).size).toBe(1_002);
});

test("more than ten new alarms in ten minutes are a flood; late data are none", () => {
  const alarms = state();
  for (let n = 0; n < 10; n += 1) alarms.raise({ parameter: `/p/${n}`, severity: "watch", minutes: n });
  alarms.raise({ parameter: "/old", severity: "watch", minutes: 59 });
  alarms.raise({ parameter: "/late", severity: "watch", minutes: 1, late: true });
  const all = () => alarms.histories.map(({ alarm }) => ({ mission: "demo", alarm }));
  expect(ratesOf(all(), NOW)).toEqual({ recent: 10, perHour: 11, isFlood: false });
  alarms.raise({ parameter: "/p/11", severity: "watch", minutes: 0 });
  expect(ratesOf(all(), NOW).isFlood).toBe(true);
});

test("alarms are grouped by cause: what the server relates, then by station and by subsystem", () => {
  const alarms = state();
  const first = alarms.raise({ parameter: "/p/eps/bus", severity: "watch", minutes: 3 });
  const group = {
    kind: "related" as const,
    relation: "power",
    first_out: first.alarm.id,
    members: 2,
    severity: "severe" as const,
  };
  first.alarm.group = group;
  alarms.raise({ parameter: "/p/x", severity: "severe", minutes: 4, group });
  alarms.raise({ parameter: "/p/thermal/a", severity: "warning", minutes: 2 });
  alarms.raise({ parameter: "/p/thermal/b", severity: "watch", minutes: 1 });
  alarms.raise({ parameter: "baseband", severity: "watch", minutes: 9, node: "n1" });
  const groups = groupsOf(rowsOf(alarms), () => "Kiruna", NOW);
  expect(groups.map(({ title, members }) => [title, members.map(({ alarm }) => alarm.parameter)])).toEqual([
    ["power", ["/p/eps/bus", "/p/x"]],
    ["/p/thermal", ["/p/thermal/a", "/p/thermal/b"]],
    ["station Kiruna", ["baseband"]],
  ]);
});
