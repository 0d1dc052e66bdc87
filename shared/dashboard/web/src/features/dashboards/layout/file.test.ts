import { expect, test } from "vitest";
import { readDashboardFile } from "./file";

const widget = { id: "a", kind: "text", x: 0, y: 0, w: 6, h: 4, opts: {} };
const file = (changes: object = {}) =>
  JSON.stringify({ format: "sto-dashboard", version: 1, title: "Power", widgets: [widget], ...changes });

test("a file that was exported is read", () => {
  expect(readDashboardFile(file())).toMatchObject({
    kind: "file",
    file: { title: "Power", widgets: [widget] },
  });
});

test.each([
  ["widgets[0].w", file({ widgets: [{ ...widget, w: 30 }] })],
  ["widgets[0].w", file({ widgets: [{ ...widget, x: 20 }] })],
  ["widgets[1].id", file({ widgets: [widget, widget] })],
  ["widgets[0].id", file({ widgets: [{ ...widget, id: "<b>" }] })],
  ["widgets[0].kind", file({ widgets: [{ ...widget, kind: "" }] })],
  ["widgets[0].x", file({ widgets: [{ ...widget, x: 1.5 }] })],
  ["widgets[0].opts", file({ widgets: [{ ...widget, opts: [] }] })],
  ["widgets[0].style", file({ widgets: [{ ...widget, style: "x" }] })],
  ["widgets[0]", file({ widgets: [{ ...widget, opts: { text: "x".repeat(20_000) } }] })],
  ["widgets", file({ widgets: Array.from({ length: 201 }, () => widget) })],
  ["widgets", file({ widgets: {} })],
  ["title", file({ title: " " })],
  ["title", file({ title: "x".repeat(201) })],
  ["format", file({ format: "grafana" })],
  ["version", file({ version: 2 })],
  ["file", "[]"],
])("what is wrong is named by its place: %s", (place, text) => {
  expect(readDashboardFile(text)).toMatchObject({ kind: "wrong", place });
});

test("a file that is no JSON is refused where it breaks", () => {
  expect(readDashboardFile('{\n  "title": "a",\n  !}')).toMatchObject({
    kind: "wrong",
    place: "line 3, column 3",
  });
});

test("a kind and options that are not known here are kept", () => {
  const later = { ...widget, kind: "hologram", opts: { depth: 3 } };
  expect(readDashboardFile(file({ widgets: [later] }))).toMatchObject({
    kind: "file",
    file: { widgets: [later] },
  });
});
