// The account of a mission as bands: for each station and APID, stretches of time with one fate. Pure.
import { parseTime } from "../../format/time";
import type {
  Completeness,
  CompletenessCounts,
  CompletenessRow,
  Node,
  StationCompleteness,
} from "../../types";

export const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What waits for a shorter time is on its way in the ordinary course of things. */
const WAITING_MS = 5 * 60_000;

/** From the worst to the best; `none`: nothing came, and nothing is known to be missing. */
export const FATES = ["lost", "waiting", "arriving", "missed", "backfilled", "live", "none"] as const;
export type Fate = (typeof FATES)[number];

export const FATE_WORDS: Record<Fate, string> = {
  arriving: "being backfilled",
  backfilled: "backfilled",
  live: "live",
  lost: "lost",
  missed: "not received",
  none: "nothing",
  waiting: "still at the station",
};

export const FATE_MEANINGS: Record<Fate, string> = {
  arriving: "waits at a station that is connected, and is on its way",
  backfilled: "came later than it was received, or was carried by hand",
  live: "came as it was received",
  lost: "damaged, evicted or forgotten: it will not come",
  missed: "skipped by sequence counts: the station did not hear it",
  none: "nothing was received, and nothing is known to be missing",
  waiting: "waits at a station that is not connected; it may still come",
};

export interface Run {
  fate: Fate;
  /** Unix milliseconds. */
  from: number;
  to: number;
  /** Cells of the band that it covers. */
  cells: number;
  counts: CompletenessCounts;
}

export interface Band {
  node: string;
  /** `null` of a station as a whole. */
  channel: { apid: number | null; link: string } | null;
  runs: Run[];
}

export interface StationBands {
  station: StationCompleteness;
  total: Band;
  channels: Band[];
}

export interface Bands {
  /** Beginning of each cell. */
  cells: number[];
  stepMs: number;
  stations: StationBands[];
}

export function bandsOf(answer: Completeness, nodes: readonly Node[], now: number): Bands {
  const stepMs = answer.by === "hour" ? HOUR_MS : DAY_MS;
  const [from, to] = [parseTime(answer.from), Math.min(parseTime(answer.to), now)];
  const cells: number[] = [];
  for (let at = Math.floor(from / stepMs) * stepMs; at < to; at += stepMs) cells.push(at);
  const span = { cells, stepMs, to: parseTime(answer.to) };
  const stations = answer.stations.map((station): StationBands => {
    const rows = answer.rows.filter((row) => row.node === station.node);
    const pending = pendingOf(station, nodes.find((node) => node.name === station.node) ?? null);
    const channels = groupBy(rows, (row) => `${row.apid ?? ""} ${row.link}`);
    return {
      station,
      total: band(station.node, null, rows, span, pending),
      channels: [...channels.values()]
        .map((own) => {
          const channel = { apid: own[0]?.apid ?? null, link: own[0]?.link ?? "" };
          return band(station.node, channel, own, span, null);
        })
        .sort(byChannel),
    };
  });
  return { cells, stepMs, stations };
}

function groupBy<Row, Key>(rows: readonly Row[], keyOf: (row: Row) => Key): Map<Key, Row[]> {
  const groups = new Map<Key, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}

function byChannel(a: Band, b: Band): number {
  const apid = (band: Band) => band.channel?.apid ?? Number.POSITIVE_INFINITY;
  return apid(a) - apid(b) || (a.channel?.link ?? "").localeCompare(b.channel?.link ?? "");
}

interface Pending {
  fate: "arriving" | "waiting";
  since: number;
}

/** From when on records of a station may be missing only because they have not been sent yet. */
export function pendingOf(station: StationCompleteness, node: Node | null): Pending | null {
  const { waiting } = station;
  const isConnected = node?.state === "connected";
  const oldest = waiting?.oldest ? parseTime(waiting.oldest) : null;
  if (isConnected) {
    const isOld = waiting && oldest !== null && parseTime(waiting.reported_at) - oldest > WAITING_MS;
    return isOld ? { fate: "arriving", since: oldest } : null;
  }
  // Nobody knows what a silent station received since it was last heard.
  const heard = node?.state === "disconnected" && node.last_contact ? parseTime(node.last_contact) : null;
  const since = [oldest, heard].filter((time) => time !== null);
  return since.length === 0 ? null : { fate: "waiting", since: Math.min(...since) };
}

interface Span {
  cells: readonly number[];
  stepMs: number;
  to: number;
}

function band(
  node: string,
  channel: Band["channel"],
  rows: readonly CompletenessRow[],
  { cells, stepMs, to }: Span,
  pending: Pending | null,
): Band {
  const byCell = groupBy(rows, (row) => Math.floor(parseTime(row.begins ?? "") / stepMs) * stepMs);
  const runs: Run[] = [];
  for (const from of cells) {
    const counts = sumOf((byCell.get(from) ?? []).map((row) => row.counts));
    const end = Math.min(from + stepMs, to);
    const fate = fateOf(counts, pending !== null && end > pending.since ? pending.fate : null);
    const last = runs.at(-1);
    if (last?.fate === fate) {
      last.to = end;
      last.cells += 1;
      last.counts = sumOf([last.counts, counts]);
    } else runs.push({ fate, from, to: end, cells: 1, counts });
  }
  return { node, channel, runs };
}

/** The worst that happened to any of the records counts. */
export function fateOf(counts: CompletenessCounts, pending: Pending["fate"] | null): Fate {
  if (lostIn(counts) > 0) return "lost";
  if (pending !== null) return pending;
  if (counts.not_received > 0) return "missed";
  if (counts.backfilled > 0) return "backfilled";
  return counts.received_live > 0 ? "live" : "none";
}

export function lostIn({ damaged, evicted, forgotten }: CompletenessCounts): number {
  return damaged + evicted + forgotten;
}

export const NO_COUNTS: CompletenessCounts = {
  received_live: 0,
  backfilled: 0,
  quarantined: 0,
  duplicates: 0,
  not_received: 0,
  damaged: 0,
  evicted: 0,
  forgotten: 0,
  never_issued: 0,
};

export function sumOf(counts: readonly CompletenessCounts[]): CompletenessCounts {
  const total = { ...NO_COUNTS };
  for (const one of counts)
    for (const name of Object.keys(total) as (keyof CompletenessCounts)[]) total[name] += one[name];
  return total;
}

/** Which stretch of which band is looked at, as it stands in the address. */
export interface Part {
  node: string;
  channel: Band["channel"];
  from: number;
  to: number;
}

export function writePart({ node, channel, from, to }: Part): string {
  return JSON.stringify([node, channel === null ? null : [channel.apid, channel.link], from, to]);
}

export function readPart(text: string | undefined): Part | null {
  if (text === undefined) return null;
  try {
    const [node, channel, from, to] = JSON.parse(text);
    if (typeof node !== "string" || !(Number(to) > Number(from))) return null;
    const [apid, link] = Array.isArray(channel) ? channel : [];
    const read = Array.isArray(channel)
      ? { apid: typeof apid === "number" ? apid : null, link: String(link) }
      : null;
    return { node, channel: read, from: Number(from), to: Number(to) };
  } catch {
    return null;
  }
}

export interface Tick {
  at: number;
  cells: number;
}

/** At most a dozen times above the bands, each over so many cells. */
export function ticksOf({ cells, stepMs }: Bands): Tick[] {
  const steps = stepMs === HOUR_MS ? [1, 2, 3, 6, 12, 24, 48] : [1, 2, 7, 14, 28, 56];
  const every = steps.find((step) => cells.length / step <= 12) ?? Math.ceil(cells.length / 12);
  return cells.flatMap((at, index) =>
    index % every === 0 ? [{ at, cells: Math.min(every, cells.length - index) }] : [],
  );
}
