import { expect, test } from "vitest";
import { makeNodes } from "../../mock/nodes";
import type { Node, Server } from "../../types";
import { chosenRows, linkState, type Part, type StationRow, stationRow } from "./status";

const NOW = Date.parse("2026-11-22T12:31:05Z");
const SERVER: Server = { kind: "hub", name: "hub", version: "0.1.0", boot_id: "boot" };
const FRAME = { health: { state: "live", age: 100 }, serverNow: NOW } as const;

const nodes = makeNodes(NOW, "hub");
const row = (name: string, changes: Partial<Node> = {}): StationRow => {
  const node = nodes.find((one) => one.name === name);
  if (node === undefined) throw new Error(`the mock has no ${name}`);
  return stationRow({ ...node, ...changes }, SERVER, FRAME);
};
const svalbard = (report: Partial<NonNullable<Node["report"]>>): StationRow => {
  const known = nodes.find((one) => one.name === "svalbard-1")?.report;
  return known ? row("svalbard-1", { report: { ...known, ...report } }) : row("svalbard-1");
};

test.each([
  ["svalbard-1", "normal", "in order"],
  ["awarua-1", "serious", "disconnected"],
  ["kiruna-1", "serious", "certificate 6 d left"],
  ["santiago-1", "critical", "revoked"],
  ["inuvik-2", "off", "never connected"],
])("%s is %s: %s", (name, status, word) => {
  expect(row(name)).toMatchObject({ worst: status, word });
});

test.each([
  [{ links: [] }, "ingest", "off", "no links"],
  [{ version: "0.0.9" }, "version", "caution", "0.0.9"],
  [{ clock: null }, "clock", "off", "not compared"],
  [{ clock: { offset_ms: -12_500, error_ms: 3 } }, "clock", "serious", "-12 s"],
  [{ clock: { offset_ms: 240, error_ms: 3 } }, "clock", "caution", "+240 ms"],
  [{ clock: { offset_ms: 1e300, error_ms: 3 } }, "clock", "serious", "+"],
  [{ certificate_days: null }, "certificate", "off", "none"],
] as [Partial<NonNullable<Node["report"]>>, Part, string, string][])(
  "a report with %j says of its %s: %s, %s",
  (report, part, status, word) => {
    const cell = svalbard(report).cells[part];
    expect(cell.status).toBe(status);
    expect(cell.word.startsWith(word)).toBe(true);
  },
);

test("what was rejected and what is missing is counted over all links", () => {
  expect(row("kiruna-1").cells.validate).toMatchObject({ status: "caution", word: "15 rejected" });
  expect(row("kiruna-1").cells.detect).toMatchObject({ status: "caution", word: "37 missing" });
});

test("a link is live, degraded or offline as the session is", () => {
  expect(linkState(row("svalbard-1"))).toBe("live");
  expect(linkState(row("svalbard-1", { last_contact: new Date(NOW - 60_000).toISOString() }))).toBe(
    "degraded",
  );
  expect(linkState(row("awarua-1"))).toBe("offline");
});

test("a lost session is the hub's own knowledge, the rest of what is known of the station is old", () => {
  expect(row("awarua-1")).toMatchObject({ stale: true, hollow: false });
  const frozen = { health: { state: "offline", downFor: 1, frozenAt: NOW }, serverNow: NOW } as const;
  const [awarua] = nodes;
  if (awarua !== undefined) expect(stationRow(awarua, SERVER, frozen)).toMatchObject({ hollow: true });
});

const rows = nodes.map((node) => stationRow(node, SERVER, FRAME));
const names = (filter: Parameters<typeof chosenRows>[1]) =>
  chosenRows(rows, filter).map(({ node }) => node.name);

test("the worst stations come first, and a filter leaves those that are at least so bad", () => {
  expect(names({ q: "", least: null, sort: "worst" })).toEqual([
    "santiago-1",
    "awarua-1",
    "kiruna-1",
    "inuvik-2",
    "svalbard-1",
  ]);
  expect(names({ q: "", least: "serious", sort: "site" })).toEqual(["awarua-1", "kiruna-1", "santiago-1"]);
  expect(names({ q: "sweden CERT", least: null, sort: "worst" })).toEqual(["kiruna-1"]);
  expect(names({ q: "", least: null, sort: "detect" })[0]).toBe("kiruna-1");
});
