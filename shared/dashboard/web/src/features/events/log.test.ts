import { expect, test } from "vitest";
import type { NodeEvent } from "../../types";
import { between, joined, matcher, rowOf } from "./log";

const AT = Date.parse("2026-11-22T12:00:00Z");

function event(seconds: number, changes: Partial<NodeEvent> = {}): NodeEvent {
  const at = new Date(AT + seconds * 1000).toISOString();
  return {
    kind: "node",
    id: `n.1.1.${seconds}.0`,
    at,
    reception_time: at,
    node: "kiruna-1",
    code: "STO-CLOCK-STEP",
    severity: "info",
    text: "the clock was set",
    details: [],
    ...changes,
  };
}

const rows = [0, 10, 20, 30].map((seconds) => rowOf(event(seconds)));

test("what comes from the archive and live is one row, and the archive's has the author", () => {
  const posted = event(5, { node: null, author: "kari", code: "STO-EVENT-POSTED", text: "handover" });
  const { at, code, severity, text, details } = posted;
  const live = rowOf({ at: at.replace("Z", "000000Z"), code, severity, text, details });
  const all = joined([rowOf(posted)], [live]);
  expect(all).toHaveLength(1);
  expect(all[0]?.author).toBe("kari");
});

test("rows are newest first", () => {
  expect(joined(rows, []).map((row) => (row.at - AT) / 1000)).toEqual([30, 20, 10, 0]);
});

test.each([
  [0, 30, [30, 20, 10, 0]],
  [1, 29, [20, 10]],
  [10, 20, [20, 10]],
  [31, 99, []],
  [-9, -1, []],
] as const)("from %i s to %i s there are %j", (from, to, expected) => {
  const found = between(joined(rows, []), AT + from * 1000, AT + to * 1000);
  expect(found.map((row) => (row.at - AT) / 1000)).toEqual(expected);
});

test("a severity leaves out what matters less, but never what nobody graded", () => {
  const warning = rowOf(event(1, { severity: "warning" }));
  const ungraded = rowOf({ at: event(2).at, code: "STO-SESSION-REFUSED", text: "refused" });
  const isMatching = matcher("warning", "");
  expect([rows[0], warning, ungraded].map((row) => row && isMatching(row))).toEqual([false, true, true]);
});

test("every word must occur somewhere in text, code, station or author", () => {
  const row = rowOf(event(1, { text: "the <b>clock</b>" }));
  expect(matcher(undefined, "CLOCK kiruna")(row)).toBe(true);
  expect(matcher(undefined, "clock svalbard")(row)).toBe(false);
  expect(matcher(undefined, "<b>")(row)).toBe(true);
});

test("a hundred thousand rows are cut by time without looking at each", () => {
  let looked = 0;
  const row = rowOf(event(0));
  const many = Array.from({ length: 100_000 }, (_, index) => ({
    ...row,
    get at() {
      looked += 1;
      return AT - index * 1000;
    },
  }));
  expect(between(many, AT - 500_000, AT - 100_000)).toHaveLength(401);
  expect(looked).toBeLessThan(50);
});
