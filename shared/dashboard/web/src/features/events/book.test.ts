import { expect, test } from "vitest";
import type { NodeEvent } from "../../types";
import { Book, between } from "./book";
import { type LogRow, rowOf } from "./log";

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

const rows = (...seconds: number[]) => seconds.map((second) => rowOf(event(second)));
const seconds = (found: readonly LogRow[]) => found.map((row) => (row.at - AT) / 1000);

function bookOf(...pages: LogRow[][]): Book {
  const book = new Book();
  for (const page of pages) book.takePage(page);
  return book;
}

test.each([
  [
    "pages one behind the other",
    [
      [30, 20],
      [10, 0],
    ],
  ],
  [
    "a page that comes before the others",
    [
      [10, 0],
      [30, 20],
    ],
  ],
  [
    "pages whose ends overlap",
    [
      [30, 10],
      [20, 0],
    ],
  ],
  [
    "what was read already",
    [
      [30, 20, 10],
      [20, 10, 0],
    ],
  ],
  [
    "rows that are in no order",
    [
      [0, 30],
      [10, 20],
    ],
  ],
])("%s: newest first, each once", (_, pages) => {
  expect(seconds(bookOf(...pages.map((page) => rows(...page))).rows)).toEqual([30, 20, 10, 0]);
});

test("what comes live is put in once, wherever it belongs", () => {
  const book = bookOf(rows(30, 10, 0));
  const entries = [event(20), event(40)];
  book.takeLive(entries, rowOf);
  expect(seconds(book.rows)).toEqual([40, 30, 20, 10, 0]);
  const before = book.rows;
  book.takeLive(entries, rowOf);
  expect(book.rows).toBe(before);
  book.takeLive([...entries, event(5)], rowOf);
  expect(seconds(book.rows)).toEqual([40, 30, 20, 10, 5, 0]);
});

test("what comes from the archive and live is one row, and the archive's counts", () => {
  const posted = event(5, { node: null, author: "kari", code: "STO-EVENT-POSTED", text: "handover" });
  const { at, code, severity, text, details } = posted;
  const live = { at: at.replace("Z", "000000Z"), code, severity, text, details };
  for (const isLiveFirst of [true, false]) {
    const book = new Book();
    if (isLiveFirst) book.takeLive([live], rowOf);
    book.takePage([rowOf(posted)]);
    if (!isLiveFirst) book.takeLive([live], rowOf);
    expect(book.rows.map((row) => row.author)).toEqual(["kari"]);
  }
});

test("what is older than is shown is forgotten, and taken in again when it is read again", () => {
  const book = bookOf(rows(30, 20, 10, 0));
  book.forget(AT + 15_000);
  expect(seconds(book.rows)).toEqual([30, 20]);
  book.takePage(rows(10, 0));
  expect(seconds(book.rows)).toEqual([30, 20, 10, 0]);
});

test.each([
  [0, 30, [30, 20, 10, 0]],
  [1, 29, [20, 10]],
  [10, 20, [20, 10]],
  [31, 99, []],
  [-9, -1, []],
] as const)("from %i s to %i s there are %j", (from, to, expected) => {
  const found = between(bookOf(rows(0, 10, 20, 30)).rows, AT + from * 1000, AT + to * 1000);
  expect(seconds(found)).toEqual(expected);
});

/** Rows that count how often somebody looks at when they were. */
function counted(first: number, end: number): { page: LogRow[]; looks: () => number } {
  let looked = 0;
  const page = Array.from({ length: end - first }, (_, index) => ({
    ...rows(0)[0],
    key: `${first + index}`,
    get at() {
      looked += 1;
      return AT - (first + index) * 1000;
    },
  })) as LogRow[];
  return { page, looks: () => looked };
}

test("a hundred thousand rows are cut by time without looking at each", () => {
  const { page, looks } = counted(0, 100_000);
  expect(between(page, AT - 500_000, AT - 100_000)).toHaveLength(401);
  expect(looks()).toBeLessThan(50);
});

test("a page is put behind a hundred thousand rows without looking at each", () => {
  const { page, looks } = counted(0, 100_000);
  const book = bookOf(page);
  const before = looks();
  book.takePage(counted(100_000, 101_000).page);
  expect(book.rows).toHaveLength(101_000);
  expect(looks() - before).toBeLessThan(100);
});
