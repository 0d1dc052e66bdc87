// What nodes, people and the hub had to say: one event in 40 seconds, and what is posted.
import type { HubEvents, NewEvent, NodeEvent, NodeEvents } from "../types";
import { type MockRoute, problem, stateOf } from "./answers";
import { iso, type MockWorld } from "./world";

const PERIOD_MS = 40_000;

type Told = Pick<NodeEvent, "code" | "severity" | "text" | "details">;

const TOLD: Told[] = [
  {
    code: "STO-LINK-CLIENT",
    severity: "info",
    text: "a producer connected",
    details: [{ name: "link", value: "baseband-a" }],
  },
  {
    code: "STO-PACKET-SEQUENCE",
    severity: "warning",
    text: "the sequence count of APID 100 skipped 3 packets",
    details: [{ name: "missing", value: "3" }],
  },
  {
    code: "STO-PACKET-TEXT",
    severity: "info",
    text: 'operator text from the packet: <img src=x onerror="alert(1)"> \u202Egnp.live',
    details: [],
  },
  {
    code: "STO-JOURNAL-EVICTED",
    severity: "error",
    text: "12 batches were given up for new ones",
    details: [{ name: "batches", value: "12" }],
  },
  {
    code: "STO-CLOCK-STEP",
    severity: "info",
    text: "the clock was set forward by 0.2 s",
    details: [{ name: "step", value: "0.2 s" }],
  },
];

const postedOf = stateOf(() => ({ events: [] as NodeEvent[] }));

function eventAt(index: number): NodeEvent {
  const at = iso(index * PERIOD_MS);
  return {
    kind: "node",
    id: `${"07".repeat(16)}.1.1.${index}.0`,
    at,
    reception_time: at,
    node: index % 3 === 0 ? "kiruna-1" : "svalbard-1",
    ...(TOLD[index % TOLD.length] as Told),
  };
}

function eventsIn(world: MockWorld, from: number, to: number): NodeEvent[] {
  const events: NodeEvent[] = [];
  const end = Math.min(to, world.now());
  for (let index = Math.ceil(from / PERIOD_MS); index * PERIOD_MS < end; index += 1)
    events.push(eventAt(index));
  const late = world.late.map(({ at, text }) => ({ ...eventAt(0), id: `late ${at}`, at: iso(at), text }));
  const posted = [...postedOf(world).events, ...late].filter((event) => {
    const at = Date.parse(event.at);
    return at >= from && at < to;
  });
  if (posted.length === 0) return events;
  return [...events, ...posted].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

function post(world: MockWorld, { id, severity, text }: NewEvent): Response {
  const { events } = postedOf(world);
  const known = events.find((event) => event.id === id);
  if (known !== undefined) return Response.json(known);
  if (world.session().role !== "operator")
    return problem(403, "STO-API-FORBIDDEN", "Not allowed", "Only operators post events.");
  const at = iso(world.now());
  const author = world.session().principal;
  const event: NodeEvent = {
    kind: "posted",
    id,
    at,
    reception_time: at,
    node: null,
    author,
    code: "STO-EVENT-POSTED",
    severity,
    text,
    details: [],
  };
  events.push(event);
  world.events.push({
    mission: "aurora-1",
    at: world.now(),
    entry: { at, author, code: event.code, severity, text, details: [] },
  });
  return Response.json(event);
}

function answerList(world: MockWorld, search: URLSearchParams): Response {
  const from = Date.parse(search.get("from") ?? iso(world.now() - 86_400_000));
  const to = Date.parse(search.get("to") ?? iso(world.now() + 1));
  const limit = Number(search.get("limit") ?? 100);
  const found = eventsIn(world, from, to).filter(({ node }) => (search.get("node") ?? node) === node);
  if (search.get("order") === "desc") found.reverse();
  const after = search.get("cursor");
  const first = after === null ? 0 : found.findIndex(({ id }) => id === after) + 1;
  const events = found.slice(first, first + limit);
  const next = first + limit < found.length ? (events.at(-1)?.id ?? null) : null;
  const answer: NodeEvents = { events, next };
  return Response.json(answer);
}

function answerHub(world: MockWorld): Response {
  const answer: HubEvents = {
    events: [
      {
        at: iso(world.now() - 300_000),
        code: "STO-SESSION-REFUSED",
        node: "santiago-1",
        text: "a node whose certificate is revoked tried to open a session",
      },
    ],
    next: null,
  };
  return Response.json(answer);
}

export const answerEvents: MockRoute = ({ world, method, path, url, body }) => {
  if (path.join("/") === "events") return answerHub(world);
  const [missions, mission, events] = path;
  if (missions !== "missions" || events !== "events" || path.length > 3) return null;
  if (mission !== "aurora-1") return Response.json({ events: [], next: null });
  return method === "POST"
    ? post(world, JSON.parse(body ?? "{}") as NewEvent)
    : answerList(world, url.searchParams);
};
