// The account of the first mission, by hour: one station is whole, one lost and missed some, one is cut off.
import type {
  BackfillRequest,
  Completeness,
  CompletenessBy,
  CompletenessCounts,
  CompletenessRow,
  DeclaredGap,
  NewBackfillRequest,
  StationCompleteness,
} from "../types";
import { type MockRoute, problem, stateOf } from "./answers";
import { iso, type MockWorld } from "./world";

const HOUR_MS = 3_600_000;
const AN_HOUR = 3_600;
const ROWS_MAX = 10_000;
const CUT_OFF_MS = 14 * 60_000 + 5 * HOUR_MS;
const STATIONS: [node: string, apids: number[]][] = [
  ["awarua-1", [100]],
  ["kiruna-1", [100, 101]],
  ["svalbard-1", [100, 101]],
];

const NOTHING: CompletenessCounts = {
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

/** What came in an hour that ends at `end`, the newest not being over yet. */
function countsOf(node: string, hour: number, part: number): CompletenessCounts {
  const whole = Math.round(AN_HOUR * part);
  if (node !== "kiruna-1") return { ...NOTHING, received_live: whole };
  const kind = hour % 12;
  if (kind === 3 || kind === 4) return { ...NOTHING, backfilled: whole };
  if (kind === 6) return { ...NOTHING, received_live: whole - 37, not_received: 37 };
  if (kind === 9) return { ...NOTHING, received_live: whole - 600, evicted: 600 };
  if (kind === 10) return NOTHING;
  return { ...NOTHING, received_live: whole };
}

function sum(counts: readonly CompletenessCounts[]): CompletenessCounts {
  const total = { ...NOTHING };
  for (const one of counts)
    for (const name of Object.keys(total) as (keyof CompletenessCounts)[]) total[name] += one[name];
  return total;
}

function percent(counts: CompletenessCounts, waiting = 0): number | null {
  const here = counts.received_live + counts.backfilled;
  const due = here + counts.not_received + counts.damaged + counts.evicted + counts.forgotten + waiting;
  return due === 0 ? null : (100 * here) / due;
}

function account(world: MockWorld, from: number, to: number, by: CompletenessBy): Completeness | null {
  const now = world.now();
  const step = by === "day" ? 24 * HOUR_MS : HOUR_MS;
  const rows: CompletenessRow[] = [];
  const begin = Math.floor(from / HOUR_MS) * HOUR_MS;
  const since = world.options.receivingSince ?? begin;
  for (const [node, apids] of STATIONS) {
    const end = Math.min(to, node === "awarua-1" ? now - CUT_OFF_MS : now);
    const byTime = new Map<number, CompletenessCounts[]>();
    for (let at = begin; at < end; at += HOUR_MS) {
      if (at + HOUR_MS <= since) continue;
      const part = (Math.min(end, at + HOUR_MS) - Math.max(at, since)) / HOUR_MS;
      const counts = countsOf(node, at / HOUR_MS, Math.max(0, part));
      const slot = by === "total" ? 0 : Math.floor(at / step) * step;
      byTime.set(slot, [...(byTime.get(slot) ?? []), counts]);
    }
    for (const apid of apids)
      for (const [slot, counts] of byTime) {
        const total = sum(counts);
        if (Object.values(total).every((count) => count === 0)) continue;
        const begins = by === "total" ? null : iso(slot);
        rows.push({ begins, node, link: "baseband-a", apid, counts: total, percent: percent(total) });
      }
  }
  if (rows.length > ROWS_MAX) return null;
  const stations = STATIONS.map(([node]): StationCompleteness => {
    const counts = sum(rows.filter((row) => row.node === node).map((row) => row.counts));
    const isCutOff = node === "awarua-1" && since < now - CUT_OFF_MS;
    const waiting = {
      batches: isCutOff ? 211 : 1,
      records: isCutOff ? 35_280 : 42,
      oldest: iso(now - (isCutOff ? CUT_OFF_MS : 600)),
      reported_at: iso(now - (isCutOff ? 14 * 60_000 : 400)),
    };
    return {
      node,
      counts,
      percent: percent(counts, isCutOff ? waiting.records : 0),
      waiting,
      presumed_lost: 0,
      presumed_lost_batches: 0,
    };
  });
  const edges = { from: iso(begin), to: iso(Math.ceil(to / HOUR_MS) * HOUR_MS) };
  return { mission: "aurora-1", by, ...edges, counted_at: iso(now), rows, stations };
}

function gapsIn(from: number, to: number): DeclaredGap[] {
  const gaps: DeclaredGap[] = [];
  for (let hour = Math.ceil(from / HOUR_MS); hour * HOUR_MS < to; hour += 1)
    if (hour % 12 === 9)
      gaps.push({
        node: "kiruna-1",
        epoch: 1,
        lane: "telemetry",
        first: hour,
        last: hour + 11,
        reason: "evicted",
        records: 600,
        noticed_at: iso(hour * HOUR_MS + 600_000),
        received_before: iso(hour * HOUR_MS),
        received_after: iso(hour * HOUR_MS + 600_000),
      });
  return gaps;
}

const backfillOf = stateOf(() => ({ requests: [] as BackfillRequest[] }));

function answerBackfill(world: MockWorld, asked: NewBackfillRequest | null): Response {
  const { requests } = backfillOf(world);
  if (asked === null) return Response.json({ requests });
  if (world.session().role !== "operator")
    return problem(403, "STO-API-FORBIDDEN", "Not allowed", "Only operators ask for backfill.");
  const isSilent = world.currentNodes().find((node) => node.name === asked.node)?.state !== "connected";
  const request: BackfillRequest = {
    id: requests.length + 1,
    ...asked,
    asked_by: world.session().principal,
    asked_at: iso(world.now()),
    state: isSilent ? "node-silent" : "under-way",
    batches: null,
    changed_at: iso(world.now()),
  };
  requests.unshift(request);
  return Response.json(request);
}

export const answerCompleteness: MockRoute = ({ world, method, path, url, body }) => {
  const [missions, mission, leaf] = path;
  if (missions !== "missions" || path.length !== 3) return null;
  const time = (name: string, otherwise: number) => Date.parse(url.searchParams.get(name) ?? iso(otherwise));
  const [from, to] = [time("from", world.now() - 24 * HOUR_MS), time("to", world.now())];
  if (leaf === "completeness") {
    const by = (url.searchParams.get("by") ?? "total") as CompletenessBy;
    const empty = { mission, by, from: iso(from), to: iso(to), counted_at: null, rows: [], stations: [] };
    if (mission !== "aurora-1") return Response.json(empty);
    const answer = account(world, from, to, by);
    return answer === null
      ? problem(400, "STO-API-BAD-REQUEST", "The question cannot be answered", "more than 10,000 rows")
      : Response.json(answer);
  }
  if (leaf === "gaps") return Response.json({ gaps: gapsIn(from, to), next: null });
  if (leaf === "backfill")
    return answerBackfill(world, method === "POST" ? (JSON.parse(body ?? "{}") as NewBackfillRequest) : null);
  return null;
};
