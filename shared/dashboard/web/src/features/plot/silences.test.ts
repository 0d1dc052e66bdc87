import { expect, test } from "vitest";
import type { Silence } from "../../types";
import { gapsOf } from "./silences";

const silence = (...causes: Silence["causes"]): Silence => ({
  from: "2026-11-22T12:00:00Z",
  to: "2026-11-22T12:10:00Z",
  causes,
});
const kindOf = (connected: string[], ...causes: Silence["causes"]) =>
  gapsOf([silence(...causes)], (node) => connected.includes(node))[0]?.kind;

test("what waits at a station is on its way when the station is connected", () => {
  const waiting = { kind: "waiting-at-station", node: "svalbard-1", records: 12 } as const;
  expect(kindOf(["svalbard-1"], waiting)).toBe("backfilled");
  expect(kindOf([], waiting)).toBe("waiting");
  expect(kindOf([], { kind: "station-not-connected", node: "svalbard-1" })).toBe("waiting");
});

test("of several causes the worst is shown", () => {
  const evicted = { kind: "evicted", node: "a", records: 1 } as const;
  const missed = { kind: "not-received", node: "a", records: 1 } as const;
  expect(kindOf([], { kind: "nothing-issued" }, missed, evicted)).toBe("lost");
  expect(kindOf([], { kind: "unknown" }, missed)).toBe("not-received");
});

test("a cause that a newer server names is unknown here, and so is none", () => {
  expect(kindOf([], { kind: "solar-flare" } as never)).toBe("unknown");
  expect(kindOf([])).toBe("unknown");
});

test("a gap keeps its span", () => {
  const [gap] = gapsOf([silence({ kind: "nothing-issued" })], () => false);
  expect(gap).toEqual({
    from: Date.parse("2026-11-22T12:00:00Z"),
    to: Date.parse("2026-11-22T12:10:00Z"),
    kind: "not-issued",
  });
});
