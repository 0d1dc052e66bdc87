import { expect, test } from "vitest";
import type { NodeEvent } from "../../types";
import { matcher, rowOf, timeOfKey } from "./log";

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

test("a key says when its event was", () => {
  expect(timeOfKey(rowOf(event(7)).key)).toBe(AT + 7_000);
});

test("a severity leaves out what matters less, but never what nobody graded", () => {
  const warning = rowOf(event(1, { severity: "warning" }));
  const ungraded = rowOf({ at: event(2).at, code: "STO-SESSION-REFUSED", text: "refused" });
  const isMatching = matcher("warning", "");
  expect([rowOf(event(0)), warning, ungraded].map(isMatching)).toEqual([false, true, true]);
});

test("every word must occur somewhere in text, code, station or author", () => {
  const row = rowOf(event(1, { text: "the <b>clock</b>" }));
  expect(matcher(undefined, "CLOCK kiruna")(row)).toBe(true);
  expect(matcher(undefined, "clock svalbard")(row)).toBe(false);
  expect(matcher(undefined, "<b>")(row)).toBe(true);
});
