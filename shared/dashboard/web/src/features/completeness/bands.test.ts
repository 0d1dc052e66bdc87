import { expect, test } from "vitest";
import type {
  Completeness,
  CompletenessCounts,
  CompletenessRow,
  Node,
  StationCompleteness,
} from "../../types";
import { bandsOf, type Fate, fateOf, NO_COUNTS, pendingOf, readPart, ticksOf, writePart } from "./bands";
import { accountSpan, unitOf } from "./span";

const START = Date.parse("2026-11-22T00:00:00Z");
const HOUR = 3_600_000;
const at = (hour: number) => new Date(START + hour * HOUR).toISOString();

function row(hour: number, counts: Partial<CompletenessCounts>, apid: number | null = 100): CompletenessRow {
  return { begins: at(hour), node: "n", link: "x", apid, counts: { ...NO_COUNTS, ...counts }, percent: null };
}

function answer(rows: CompletenessRow[], station: Partial<StationCompleteness> = {}): Completeness {
  const one = { node: "n", counts: NO_COUNTS, presumed_lost: 0, presumed_lost_batches: 0, ...station };
  return { mission: "m", by: "hour", from: at(0), to: at(6), counted_at: at(6), rows, stations: [one] };
}

const node = (state: Node["state"], last_contact: string | null = null): Node =>
  ({ name: "n", site: "", state, last_contact, archived_packets: 0 }) as Node;

function fates(given: Completeness, known: Node): [Fate, number][] {
  const total = bandsOf(given, [known], START + 6 * HOUR).stations[0]?.total;
  return (total?.runs ?? []).map((run) => [run.fate, run.cells]);
}

const waiting = (oldest: number, reported: number) => ({
  batches: 1,
  records: 9,
  oldest: at(oldest),
  reported_at: at(reported),
});

test("hours of one fate are one stretch, and hours without anything are shown too", () => {
  const rows = [row(0, { received_live: 5 }), row(1, { received_live: 5 }), row(3, { backfilled: 5 })];
  expect(fates(answer(rows), node("connected"))).toEqual([
    ["live", 2],
    ["none", 1],
    ["backfilled", 1],
    ["none", 2],
  ]);
});

test.each([
  [{ received_live: 5, evicted: 1 }, null, "lost"],
  [{ received_live: 5, damaged: 1 }, "waiting", "lost"],
  [{ forgotten: 1 }, null, "lost"],
  [{ received_live: 5, not_received: 1 }, "arriving", "arriving"],
  [{ received_live: 5, not_received: 1 }, null, "missed"],
  [{ received_live: 5, backfilled: 1 }, null, "backfilled"],
  [{ received_live: 5, quarantined: 1, duplicates: 1 }, null, "live"],
  [{ never_issued: 7 }, null, "none"],
] as const)("of %j with %s pending the worst counts: %s", (counts, pending, expected) => {
  expect(fateOf({ ...NO_COUNTS, ...counts }, pending)).toBe(expected);
});

test("what a silent station has waits there from its oldest record on", () => {
  const given = answer(
    [0, 1, 2].map((hour) => row(hour, { received_live: 5 })),
    { waiting: waiting(2.5, 3) },
  );
  expect(fates(given, node("disconnected", at(3)))).toEqual([
    ["live", 2],
    ["waiting", 4],
  ]);
});

test("of a station that told of nothing, what it received since it was heard may wait", () => {
  expect(
    pendingOf({ ...answer([]).stations[0] } as StationCompleteness, node("disconnected", at(4))),
  ).toEqual({
    fate: "waiting",
    since: START + 4 * HOUR,
  });
  expect(pendingOf({ ...answer([]).stations[0] } as StationCompleteness, node("revoked", at(4)))).toBeNull();
});

test("old records of a connected station are on their way, those of the last minutes are in order", () => {
  const rows = [row(5, { received_live: 5 })];
  expect(fates(answer(rows, { waiting: waiting(4.5, 6) }), node("connected"))).toEqual([
    ["none", 4],
    ["arriving", 2],
  ]);
  expect(fates(answer(rows, { waiting: waiting(5.99, 6) }), node("connected")).at(-1)).toEqual(["live", 1]);
});

test("APIDs have bands of their own, in order, and records without one come last", () => {
  const rows = [
    row(0, { evicted: 3 }, null),
    row(0, { received_live: 5 }, 101),
    row(0, { received_live: 5 }, 2),
  ];
  const { channels } = bandsOf(answer(rows), [], START + 6 * HOUR).stations[0] ?? { channels: [] };
  expect(channels.map((band) => band.channel?.apid)).toEqual([2, 101, null]);
  expect(channels.map((band) => band.runs[0]?.fate)).toEqual(["live", "live", "lost"]);
});

test("hours that have not come yet are left out", () => {
  expect(bandsOf(answer([]), [], START + 2.5 * HOUR).cells).toHaveLength(3);
});

test("what is looked at comes back from the address, and nothing else does", () => {
  const part = { node: 'n "~', channel: { apid: null, link: "x" }, from: 1, to: 2 };
  expect(readPart(writePart(part))).toEqual(part);
  expect(readPart(writePart({ ...part, channel: null }))).toEqual({ ...part, channel: null });
  for (const text of ["", "x", "[1]", '["n",null,5,5]', '["n",null,"a","b"]', "null"])
    expect(readPart(text)).toBeNull();
});

test("there are a dozen ticks at most, and together they cover all cells", () => {
  for (const hours of [1, 6, 24, 168]) {
    const cells = Array.from({ length: hours }, (_, hour) => START + hour * HOUR);
    const ticks = ticksOf({ cells, stepMs: HOUR, stations: [] });
    expect(ticks.length).toBeLessThanOrEqual(12);
    expect(ticks.reduce((sum, tick) => sum + tick.cells, 0)).toBe(hours);
  }
});

test("live the last day is shown, in whole hours; a replay only up to where it stands", () => {
  const now = START + 30.5 * HOUR;
  const live = accountSpan({ kind: "live", span: "15m" }, now, { from: now - 900_000, to: now });
  expect(live).toEqual({ from: START + 6 * HOUR, to: START + 31 * HOUR });
  const range = { from: START, to: START + 24 * HOUR };
  const replay = accountSpan({ kind: "replay", ...range, speed: 1, at: null }, START + 2.2 * HOUR, range);
  expect(replay).toEqual({ from: START, to: START + 3 * HOUR });
  expect([unitOf(live), unitOf({ from: 0, to: 8 * 24 * HOUR })]).toEqual(["hour", "day"]);
});
