import { expect, test } from "vitest";
import type { Dashboard, Widget } from "../../../types";
import { begin, changesOf, differences, edit, equal, isChanged, type Layout, redo, undo } from "./draft";
import { put } from "./grid";

const widget = (id: string, changes: Partial<Widget> = {}): Widget => ({
  id,
  kind: "text",
  x: 0,
  y: 0,
  w: 6,
  h: 4,
  opts: { text: id },
  ...changes,
});
const copy = (of: Widget, author = "kari") => ({ widget: of, author, at: "2026-11-22T12:00:00Z" });

const base: Dashboard = {
  id: "0123456789abcdef",
  heads: "h1",
  title: "Power",
  author: "kari",
  audience: "operators",
  changed_at: "2026-11-22T12:00:00Z",
  changed_by: "kari",
  widgets: [
    { id: "a", copies: [copy(widget("a"))] },
    { id: "b", copies: [copy(widget("b", { x: 6 }), "tom"), copy(widget("b", { x: 12 }))] },
  ],
};

const remove = (id: string) => (layout: Layout) => ({
  ...layout,
  widgets: layout.widgets.filter((w) => w.id !== id),
});
const retitle = (title: string) => (layout: Layout) => ({ ...layout, title });

test("only what was changed is sent", () => {
  const draft = edit(begin(base), (layout) => ({
    ...layout,
    widgets: put(layout.widgets, "a", { x: 0, y: 8, w: 6, h: 4 }),
  }));
  expect(changesOf(draft)).toEqual({ put: [widget("a", { y: 8 })], remove: [] });
  expect(changesOf(edit(begin(base), retitle("EPS")))).toEqual({ put: [], remove: [], title: "EPS" });
  expect(changesOf(edit(begin(base), remove("b")))).toEqual({ put: [], remove: ["b"] });
});

test("of a widget in conflict the newest copy is shown and none is sent unasked", () => {
  const draft = begin(base);
  expect(draft.now.widgets.find((w) => w.id === "b")?.x).toBe(6);
  expect(isChanged(draft)).toBe(false);
});

test("undo goes back step by step, redo forth again, and another edit ends the way forth", () => {
  const edited = edit(edit(begin(base), retitle("one")), retitle("two"));
  expect(undo(edited).now.title).toBe("one");
  expect(undo(undo(undo(edited))).now.title).toBe("Power");
  expect(redo(undo(edited)).now.title).toBe("two");
  expect(redo(edit(undo(edited), retitle("three"))).now.title).toBe("three");
  expect(isChanged(undo(undo(edited)))).toBe(false);
});

test("an edit that changes nothing is no step", () => {
  expect(edit(begin(base), (layout) => ({ ...layout })).past).toHaveLength(0);
});

test("the way back is bounded", () => {
  let draft = begin(base);
  for (let step = 0; step < 250; step += 1) draft = edit(draft, retitle(`title ${step}`));
  expect(draft.past.length).toBeLessThanOrEqual(100);
});

test("people read what saving changes of each widget", () => {
  const draft = edit(edit(begin(base), remove("b")), (layout) => ({
    ...layout,
    widgets: [widget("a", { y: 3, w: 8, opts: { text: "else" } }), widget("c")],
  }));
  expect(differences(draft).map(({ id, deeds }) => [id, deeds])).toEqual([
    ["a", ["moved", "resized", "configured"]],
    ["c", ["added"]],
    ["b", ["removed"]],
  ]);
});

test("options are compared by value, in whatever order they were written", () => {
  expect(equal({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 })).toBe(true);
  expect(equal({ a: [1, 2] }, { a: [2, 1] })).toBe(false);
});
