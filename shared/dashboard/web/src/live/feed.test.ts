import { expect, test } from "vitest";
import type { Sample } from "../types";
import { LiveFeed, TRACE_SAMPLES_MAX } from "./feed";
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

test("each snapshot asks for the history again, and what was dropped is counted", () => {
  const feed = new LiveFeed();
  feed.follow("m", PATH, 0);
  expect(feed.trace?.generation).toBe(0);
  feed.onEvent({ kind: "snapshot", mission: "m", samples: [sample(1)], dropped: 0 });
  feed.onEvent({ kind: "snapshot", mission: "m", samples: [sample(9)], dropped: 7 });
  expect(feed.trace?.generation).toBe(2);
  expect(feed.dropped).toBe(7);
  expect(feed.trace?.recent.toArray().map((s) => s.engineering)).toEqual([1, 9]);
});

test("history is asked for again before a sample is pushed out of the ring", () => {
  const feed = new LiveFeed();
  feed.follow("m", PATH, 0);
  const samples = Array.from({ length: TRACE_SAMPLES_MAX / 2 }, (_, second) => sample(second));
  feed.onEvent({ kind: "values", mission: "m", samples });
  expect(feed.trace?.generation).toBe(1);
  expect(feed.trace?.recent.length).toBe(samples.length);
});

test("a refusal stands until a snapshot comes", () => {
  const feed = new LiveFeed();
  feed.onEvent({ kind: "refused", code: "STO-API-UNKNOWN-PARAMETER", detail: "no such parameter" });
  expect(feed.refusal?.detail).toBe("no such parameter");
  feed.onEvent({ kind: "snapshot", mission: "m", samples: [], dropped: 0 });
  expect(feed.refusal).toBeNull();
});

test("a ring keeps the newest, oldest first", () => {
  const ring = new Ring<number>(3);
  for (const item of [1, 2, 3, 4, 5]) ring.push(item);
  expect(ring.toArray()).toEqual([3, 4, 5]);
});
