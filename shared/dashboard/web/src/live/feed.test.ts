import { expect, test } from "vitest";
import type { Alarm, Sample } from "../types";
import { GENERATION_MS_MAX, LiveFeed, TRACE_SAMPLES_MAX } from "./feed";
import { Ring } from "./ring";

const PATH = "/a/b";

function sample(second: number, value = second): Sample {
  const generation_time = new Date(1_700_000_000_000 + second * 1000).toISOString();
  return {
    parameter: PATH,
    generation_time,
    reception_time: generation_time,
    raw: value,
    engineering: value,
    node: "n",
    interval_ms: 1000,
    provenance: "live",
    validity: "valid",
    monitoring: "not-monitored",
    dictionary_version: 1,
  };
}

test("a late sample does not replace a newer one as the latest", () => {
  const feed = new LiveFeed();
  feed.onEvent({ kind: "values", mission: "m", samples: [sample(5)] });
  feed.onEvent({ kind: "values", mission: "m", samples: [sample(3)] });
  feed.onLatest("m", [sample(4)]);
  expect(feed.latestOf("m", PATH)?.engineering).toBe(5);
  expect(feed.latestOf("other", PATH)).toBeNull();
});

test("a sample of a clock that is wrong by more than a minute is replaced by what is received after it", () => {
  const feed = new LiveFeed();
  const { reception_time } = sample(5);
  const wrong = { ...sample(90_000, 1), reception_time };
  feed.onEvent({ kind: "values", mission: "m", samples: [sample(4), wrong] });
  expect(feed.latestOf("m", PATH)?.engineering).toBe(1);
  feed.onEvent({ kind: "values", mission: "m", samples: [sample(6)] });
  expect(feed.latestOf("m", PATH)?.engineering).toBe(6);
});

test("a clock that runs a minute ahead is believed", () => {
  const feed = new LiveFeed();
  const ahead = { ...sample(65, 1), reception_time: sample(5).reception_time };
  feed.onEvent({ kind: "values", mission: "m", samples: [ahead, sample(64)] });
  expect(feed.latestOf("m", PATH)?.engineering).toBe(1);
});

test("of one sample heard at two stations the same copy stands, whichever came first", () => {
  const copies = [
    { ...sample(5), node: "awarua" },
    { ...sample(5), node: "svalbard" },
  ];
  for (const samples of [copies, copies.toReversed()]) {
    const feed = new LiveFeed();
    feed.onEvent({ kind: "values", mission: "m", samples });
    expect(feed.latestOf("m", PATH)?.node).toBe("awarua");
  }
});

/** A feed whose one parameter is drawn, and the subscription that brings its samples. */
function traced() {
  const feed = new LiveFeed();
  feed.wishes.parameters("traces", "m", [PATH]);
  feed.onTraced("m", [PATH], 0);
  return { feed, id: feed.wishes.changes()[0]?.id ?? "" };
}

const trace = (feed: LiveFeed) => feed.traceOf("m", PATH);

test("samples that come for values do not lengthen a curve a second time", () => {
  const { feed } = traced();
  feed.wishes.parameters("values", "m", [PATH]);
  const id = feed.wishes.changes()[0]?.id;
  feed.onEvent({ kind: "values", id, mission: "m", samples: [sample(1)] });
  expect(feed.latestOf("m", PATH)?.engineering).toBe(1);
  expect(trace(feed)?.recent.length).toBe(0);
});

test("a stream that goes on where it was asks for the history of new curves only", () => {
  const { feed, id } = traced();
  feed.onEvent({ kind: "snapshot", id, mission: "m", samples: [sample(1)], dropped: 0 });
  feed.wishes.parameters("traces", "m", ["/new"]);
  feed.onTraced("m", ["/new"], 5);
  feed.onEvent({ kind: "opened", id, resumed: true });
  expect(trace(feed)?.generation).toBe(1);
  expect(feed.traceOf("m", "/new")?.generation).toBe(1);
});

test("alarms are those of the last snapshot and what changed since; closed ones leave", () => {
  const feed = new LiveFeed();
  const alarm = (id: string, state: Alarm["state"]) => ({ id, state }) as Alarm;
  const snapshot = { kind: "alarms-snapshot", id: "a", mission: "m", dropped: 0 } as const;
  feed.onEvent({ ...snapshot, alarms: [alarm("1", "latched")], is_first: true, more: true });
  expect(feed.alarmsOf("m")?.complete).toBe(false);
  feed.onEvent({ ...snapshot, alarms: [alarm("2", "shelved")], is_first: false, more: false });
  feed.onEvent({ kind: "alarms", id: "a", mission: "m", alarms: [alarm("1", "normal")] });
  expect([...(feed.alarmsOf("m")?.alarms.keys() ?? [])]).toEqual(["2"]);
  expect(feed.alarmsOf("m")?.complete).toBe(true);
  feed.onEvent({ ...snapshot, alarms: [], is_first: true, more: false });
  expect(feed.alarmsOf("m")?.alarms.size).toBe(0);
});

test("a log keeps the newest events of its subscription, and counts what was left out", () => {
  const feed = new LiveFeed();
  const subject = { kind: "events", mission: "m" } as const;
  feed.wishes.shared(subject);
  const id = feed.wishes.changes()[0]?.id ?? "";
  const entry = { at: "2026-11-22T12:00:00Z", code: "STO-X", details: [], text: "said" };
  feed.onEvent({ kind: "events", id, events: [entry], dropped: 3 });
  feed.onEvent({ kind: "events", id: "other", events: [entry], dropped: 1 });
  expect(feed.eventsOf(subject)?.entries.toArray()).toEqual([entry]);
  expect(feed.eventsOf(subject)?.dropped).toBe(3);
});

test("each snapshot asks for the history again, and what was dropped is counted", () => {
  const { feed, id } = traced();
  expect(trace(feed)?.generation).toBe(0);
  feed.onEvent({ kind: "snapshot", id, mission: "m", samples: [sample(1)], dropped: 0 });
  feed.onEvent({ kind: "snapshot", id, mission: "m", samples: [sample(9)], dropped: 7 });
  expect(trace(feed)?.generation).toBe(2);
  expect(feed.dropped).toBe(7);
  expect(
    trace(feed)
      ?.recent.toArray()
      .map((s) => s.engineering),
  ).toEqual([1, 9]);
});

test("history is asked for again before a sample is pushed out of the ring", () => {
  const { feed, id } = traced();
  const samples = Array.from({ length: TRACE_SAMPLES_MAX / 2 }, (_, second) => sample(second));
  feed.onEvent({ kind: "values", id, mission: "m", samples });
  expect(trace(feed)?.generation).toBe(1);
  expect(trace(feed)?.recent.length).toBe(samples.length);
});

test("a refusal is its subscription's, and stands until that one is opened", () => {
  const { feed, id } = traced();
  feed.wishes.parameters("values", "m", [PATH]);
  const other = feed.wishes.changes()[0]?.id ?? "";
  const refusal = { code: "STO-API-UNKNOWN-PARAMETER", detail: "no such parameter" };
  feed.onEvent({ kind: "refused", id, ...refusal });
  feed.onEvent({ kind: "opened", id: other, resumed: false });
  feed.onEvent({ kind: "snapshot", id: other, mission: "m", samples: [], dropped: 0 });
  expect(feed.wishes.refused()).toEqual([{ purpose: "traces", mission: "m", refusal }]);
  feed.onEvent({ kind: "opened", id, resumed: false });
  expect(feed.wishes.refused()).toEqual([]);
});

test("what was refused is asked for again when dictionaries were replaced", () => {
  const { feed, id } = traced();
  feed.onEvent({ kind: "refused", id, code: "STO-API-UNKNOWN-PARAMETER", detail: "no such parameter" });
  expect(feed.wishes.changes()).toEqual([]);
  feed.onEvent({ kind: "dictionary", mission: "m", dictionary_version: 2 });
  expect(feed.wishes.changes().map((change) => change.id)).toEqual([id]);
});

test("a page that is open for long keeps only what the history in force may not hold", () => {
  const { feed, id } = traced();
  feed.onEvent({ kind: "snapshot", id, mission: "m", samples: [sample(0)], dropped: 0 });
  const kept = () =>
    trace(feed)
      ?.recent.toArray()
      .map((one) => one.engineering);
  // A sample a second, looked at as often: generation 1 from its second 0 on, generation 2 from 120, 3 from 240.
  const [aged, end] = [GENERATION_MS_MAX / 1_000, 3_600];
  for (let second = 1; second <= end; second += 1) {
    feed.onEvent({ kind: "values", id, mission: "m", samples: [sample(second)] });
    feed.onTime(second * 1_000);
    expect(trace(feed)?.recent.length).toBeLessThanOrEqual(2 * aged + 2);
  }
  const generation = trace(feed)?.generation ?? 0;
  expect(generation).toBeGreaterThan(end / aged - 2);
  expect(generation).toBeLessThanOrEqual(end / aged + 1);
  // All that came since the generation before the present one is there, in order and without a hole.
  const there = kept() ?? [];
  expect(there.length).toBeGreaterThanOrEqual(aged);
  expect(there).toEqual(there.map((_, index) => end - there.length + 1 + index));
});

test("where nothing came, nothing is asked for again", () => {
  const { feed, id } = traced();
  feed.onEvent({ kind: "snapshot", id, mission: "m", samples: [], dropped: 0 });
  for (let second = 0; second < 1_000; second += 1) feed.onTime(second * 1_000);
  expect(trace(feed)?.generation).toBe(1);
});

test("a ring keeps the newest, oldest first", () => {
  const ring = new Ring<number>(3);
  for (const item of [1, 2, 3, 4, 5]) ring.push(item);
  expect(ring.toArray()).toEqual([3, 4, 5]);
});

test("a ring forgets all but its newest, and goes on", () => {
  const ring = new Ring<number>(4);
  for (const item of [1, 2, 3, 4, 5, 6]) ring.push(item);
  ring.keepNewest(2);
  expect(ring.toArray()).toEqual([5, 6]);
  for (const item of [7, 8, 9]) ring.push(item);
  expect(ring.toArray()).toEqual([6, 7, 8, 9]);
  ring.keepNewest(9);
  expect(ring.length).toBe(4);
  ring.keepNewest(0);
  expect(ring.toArray()).toEqual([]);
});
