import { expect, test } from "vitest";
import type { ChartLine } from "./lines";
import { type Drawn, looksTheSame } from "./redraw";

const line: ChartLine = {
  parameter: { name: "/a", short_name: "a", kind: "float", labels: [] },
  series: { times: [], min: [], max: [], last: [], newest: null, bucketMs: 0 },
  gapMs: 5000,
  silences: [],
  lack: "no sample",
  limits: null,
};
/** A pixel is a second. */
const drawn: Drawn = {
  lines: [line],
  window: { from: 0, to: 400_000 },
  gaps: [],
  frozenSince: null,
  fit: "values",
};
const same = (changes: Partial<Drawn>) => looksTheSame(drawn, { ...drawn, ...changes }, 400);

test("a window that moves within a pixel is not drawn again", () => {
  expect(same({ window: { from: 400, to: 400_400 } })).toBe(true);
  expect(same({ window: { from: 1000, to: 401_000 } })).toBe(false);
});

test("a window of another length is drawn again", () => {
  expect(same({ window: { from: 0, to: 800_000 } })).toBe(false);
});

test("new samples, limits and gaps are drawn", () => {
  expect(same({ lines: [{ ...line }] })).toBe(true);
  expect(same({ lines: [{ ...line, series: { ...line.series } }] })).toBe(false);
  expect(same({ lines: [{ ...line, limits: { zones: [], states: new Map(), isPartial: false } }] })).toBe(
    false,
  );
  expect(same({ lines: [line, line] })).toBe(false);
  expect(same({ lines: [] })).toBe(false);
  expect(same({ gaps: [{ from: 0, to: 1, kind: "lost" }] })).toBe(false);
  expect(same({ frozenSince: 3 })).toBe(false);
  expect(same({ fit: "limits" })).toBe(false);
});
