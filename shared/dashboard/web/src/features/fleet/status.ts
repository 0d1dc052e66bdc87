// What is known of a station, part by part: each with a symbol, a word, and why. The matrix shows the parts, the map the
// worst of them.
import { bytes, count, plural } from "../../format/quantity";
import { age, duration, parseTime } from "../../format/time";
import type { Frame } from "../../live/client";
import { rankOf, type Status, worstOf } from "../../shell/status";
import type { Node, NodeReport, Server } from "../../types";
import { drainView, fullView } from "../stations/backlog";
import { certificate, information, STATE_STATUS, STATE_WORDS } from "../stations/station";
import type { LinkState, MapSite } from "./map/clusters";
import type { Place } from "./map/view";

export const PARTS = [
  "sync",
  "ingest",
  "validate",
  "detect",
  "buffer",
  "clock",
  "certificate",
  "version",
] as const;
export type Part = (typeof PARTS)[number];

export const PART_TITLES: Record<Part, string> = {
  sync: "Whether it forwards to the hub, and when its backlog is there",
  ingest: "Whether its intake links receive",
  validate: "What its links rejected or put in quarantine since it started",
  detect: "What was found out about what it received: missing packets and verdicts",
  buffer: "What waits in its journal, and when that is full",
  clock: "How far its clock is from the hub's",
  certificate: "How long its certificate lasts",
  version: "Its software, beside the hub's",
};

export interface Cell {
  status: Status;
  word: string;
  why: string;
}

export interface StationRow {
  node: Node;
  cells: Record<Part, Cell>;
  worst: Status;
  /** The part that is worst, as a word. */
  word: string;
  stale: boolean;
  /** What makes it the worst is old. How a node stands to the hub the hub knows itself. */
  hollow: boolean;
  age: number | null;
}

/** A link of a spacecraft is silent between passes: that is no fault, but worth seeing. */
const QUIET_MS = 60_000;
/** Samples of two stations are told apart in time down to this. */
const CLOCK_CAUTION_MS = 100;
const CLOCK_SERIOUS_MS = 1_000;

export function stationRow(
  node: Node,
  server: Server,
  frame: Pick<Frame, "health" | "serverNow">,
): StationRow {
  const report = node.report ?? null;
  const cells: Record<Part, Cell> = {
    sync: syncCell(node, report),
    ...(report === null ? NOTHING_KNOWN : reportCells(report, server, frame.serverNow)),
  };
  // A part of which nothing is known says nothing of the station, unless it is the link to the hub.
  const known = PARTS.filter((one) => one === "sync" || cells[one].status !== "off");
  const worst = worstOf(known.map((one) => cells[one].status));
  const part = known.find((one) => cells[one].status === worst) ?? "sync";
  const { age: howOld, stale } = information(node, server.kind, frame);
  const word =
    worst === "normal" ? "in order" : part === "sync" ? cells.sync.word : `${part} ${cells[part].word}`;
  const hollow = frame.health.state !== "live" || (stale && part !== "sync");
  return { node, cells, worst, word, stale, hollow, age: howOld };
}

function syncCell(node: Node, report: NodeReport | null): Cell {
  const problem = node.problem ?? "";
  if (node.state !== "connected")
    return { status: STATE_STATUS[node.state], word: STATE_WORDS[node.state], why: problem };
  if (report === null) return { status: "normal", word: "connected", why: "no report yet" };
  const drain = drainView(report.backlog);
  const isKnown = drain.status !== "off" && report.backlog.drain?.kind !== "disconnected";
  return isKnown && drain.status !== "normal"
    ? { status: drain.status, word: `drains ${drain.text}`, why: drain.why ?? "" }
    : { status: "normal", word: "connected", why: `Backlog: ${drain.text}` };
}

const NOTHING: Cell = { status: "off", word: "not known", why: "The station has not reported yet." };
const NOTHING_KNOWN = {
  ingest: NOTHING,
  validate: NOTHING,
  detect: NOTHING,
  buffer: NOTHING,
  clock: NOTHING,
  certificate: NOTHING,
  version: NOTHING,
};

function reportCells(
  report: NodeReport,
  server: Server,
  serverNow: number,
): Omit<Record<Part, Cell>, "sync"> {
  const ends = certificate(report.certificate_days);
  return {
    ingest: ingestCell(report, serverNow),
    validate: validateCell(report),
    detect: detectCell(report),
    buffer: bufferCell(report),
    clock: clockCell(report),
    certificate: { status: ends.status, word: ends.text, why: "" },
    version:
      report.version === server.version
        ? { status: "normal", word: report.version, why: "" }
        : { status: "caution", word: report.version, why: `The ${server.kind} runs ${server.version}.` },
  };
}

function ingestCell({ links }: NodeReport, serverNow: number): Cell {
  if (links.length === 0) return { status: "off", word: "no links", why: "None is configured." };
  const times = links.flatMap(({ last_packet: at }) => (at ? [parseTime(at)] : []));
  if (times.length === 0) return { status: "off", word: "nothing yet", why: "No packet has come." };
  const newest = Math.max(...times);
  const why = `Newest packet ${age(serverNow - newest)}, on ${plural(links.length, "link")}`;
  return serverNow - newest <= QUIET_MS
    ? { status: "normal", word: "receiving", why }
    : { status: "standby", word: `quiet ${duration(serverNow - newest)}`, why };
}

function validateCell({ links }: NodeReport): Cell {
  const rejected = sum(links.flatMap((link) => link.rejected.map((one) => one.count)));
  const quarantined = sum(links.map((link) => link.quarantined ?? 0));
  if (rejected + quarantined === 0) return { status: "normal", word: "clean", why: "Nothing was rejected." };
  const words = [
    rejected > 0 ? `${count(rejected)} rejected` : "",
    quarantined > 0 ? `${count(quarantined)} in quarantine` : "",
  ].filter((word) => word !== "");
  const why = links
    .flatMap((link) => link.rejected.map((one) => `${link.name}: ${one.cause} ${count(one.count)}`))
    .join(", ");
  return { status: "caution", word: words.join(", "), why };
}

function detectCell({ links }: NodeReport): Cell {
  const missing = sum(links.map((link) => link.continuity?.missing ?? 0));
  const found = links.flatMap((link) => link.found ?? []).filter((one) => one.count > 0);
  const words = [
    missing > 0 ? `${count(missing)} missing` : "",
    ...found.map((one) => `${count(one.count)} ${one.verdict}`),
  ].filter((word) => word !== "");
  if (words.length > 0)
    return { status: "caution", word: words[0] ?? "", why: `Since it started: ${words.join(", ")}` };
  return links.some((link) => link.continuity)
    ? { status: "normal", word: "in order", why: "No sequence count is missing." }
    : { status: "off", word: "not told", why: "Its links do not look at sequence counts." };
}

function bufferCell({ backlog }: NodeReport): Cell {
  const full = fullView(backlog);
  const waits = `${plural(backlog.packets, "packet")} waiting, ${bytes(backlog.bytes)}`;
  if (full !== null) return { status: full.status, word: `full ${full.text}`, why: waits };
  return { status: "normal", word: backlog.packets === 0 ? "empty" : bytes(backlog.bytes), why: waits };
}

export function clockCell({ clock }: Pick<NodeReport, "clock">): Cell {
  if (!clock) return { status: "off", word: "not compared", why: "It was not compared with the hub's yet." };
  const size = Math.abs(clock.offset_ms);
  const status = size > CLOCK_SERIOUS_MS ? "serious" : size > CLOCK_CAUTION_MS ? "caution" : "normal";
  const sign = clock.offset_ms < 0 ? "-" : "+";
  const word = size >= 10_000 ? `${sign}${duration(size)}` : `${sign}${size.toFixed(size < 10 ? 1 : 0)} ms`;
  return { status, word, why: `Right within ${clock.error_ms.toFixed(1)} ms; nothing is corrected by it.` };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

export const LEAST = ["critical", "serious", "caution"] as const;
export type Least = (typeof LEAST)[number];
export const SORTS = ["worst", "site", ...PARTS] as const;
export type Sort = (typeof SORTS)[number];

export interface RowFilter {
  q: string;
  least: Least | null;
  sort: Sort;
}

/** The rows of a filter in its order; equal ones by site and name. */
export function chosenRows(rows: readonly StationRow[], { q, least, sort }: RowFilter): StationRow[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const rank = (row: StationRow) =>
    sort === "site" ? 0 : rankOf(sort === "worst" ? row.worst : row.cells[sort].status);
  const hits = rows.filter((row) => {
    const text = `${row.node.site} ${row.node.name} ${row.word}`.toLowerCase();
    return (
      words.every((word) => text.includes(word)) && (least === null || rankOf(row.worst) <= rankOf(least))
    );
  });
  return hits.sort(
    (a, b) => rank(a) - rank(b) || order(a.node.site, b.node.site) || order(a.node.name, b.node.name),
  );
}

/** Without the rules of a language, which are 20 times as slow and differ between browsers. */
function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function mapSite(row: StationRow, { latitude, longitude }: Place): MapSite {
  return {
    id: row.node.name,
    site: row.node.site,
    latitude,
    longitude,
    status: row.worst,
    word: row.word,
    hollow: row.hollow,
    link: linkState(row),
  };
}

/** Degraded: there is a session, but what waits does not arrive, or nothing was heard for some time. */
export function linkState({ node, cells, stale }: StationRow): LinkState {
  if (node.state !== "connected") return "offline";
  return stale || cells.sync.status !== "normal" ? "degraded" : "live";
}
