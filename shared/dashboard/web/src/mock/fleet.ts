// Where the mock's stations are, and what is known of each node beyond the list.
import type { NodeDetail, Places, SitePlace } from "../api/fleet";
import type { Node } from "../types";
import { type MockRequest, type MockRoute, problem, stateOf } from "./answers";
import { refusedAdministration } from "./rights";
import type { MockWorld } from "./world";

const KNOWN: Record<string, SitePlace> = {
  "Awarua, New Zealand": { latitude_deg: -46.53, longitude_deg: 168.38, height_m: 10, mask_deg: 5 },
  hub: { latitude_deg: 49.87, longitude_deg: 8.62, height_m: 140, mask_deg: 5 },
  "Kiruna, Sweden": { latitude_deg: 67.88, longitude_deg: 21.06, height_m: 390, mask_deg: 5 },
  "Longyearbyen, Svalbard": { latitude_deg: 78.23, longitude_deg: 15.39, height_m: 450, mask_deg: 3 },
  "Santiago, Chile": { latitude_deg: -33.13, longitude_deg: -70.67, height_m: 730, mask_deg: 10 },
};

const placesOf = stateOf(() => new Map(Object.entries(KNOWN)));
const revokedOf = stateOf(() => new Map<string, string>());
const missionsOf = stateOf(() => new Map<string, string[] | null>());

const GOLDEN = 137.508;

/** A fleet of any size: sites `Site 0001` and on are spread evenly over the land of a made-up Earth. */
export function manyNodes(world: MockWorld, count: number): Node[] {
  const models = world.currentNodes();
  return Array.from({ length: count }, (_, index) => {
    const number = String(index + 1).padStart(4, "0");
    const place = { latitude_deg: 75 - (150 * index) / count, longitude_deg: ((index * GOLDEN) % 360) - 180 };
    placesOf(world).set(`Site ${number}`, { ...place, height_m: 0, mask_deg: 5 });
    // Nine of ten are in order, as in a fleet that works.
    const model = index % 10 === 0 ? models[(index / 10) % models.length] : models.at(-1);
    if (model === undefined) throw new Error("the mock has no nodes to model others on");
    return { ...model, name: `node-${number}`, site: `Site ${number}` };
  });
}

const iso = (ms: number) => new Date(ms).toISOString();

function places(world: MockWorld): Places {
  const nodes = world.currentNodes();
  const known = placesOf(world);
  const names = new Set([...known.keys(), ...nodes.map((node) => node.site)]);
  return {
    at: iso(world.now()),
    sites: [...names].sort().map((site) => ({
      site,
      nodes: nodes.filter((node) => node.site === site).map((node) => node.name),
      place: known.get(site) ?? null,
      set_at: known.has(site) ? iso(world.now() - 86_400_000) : null,
      set_by: known.has(site) ? "operator" : null,
    })),
  };
}

function detail(world: MockWorld, node: Node): NodeDetail {
  const now = world.now();
  const hasSession = node.since !== null && node.since !== undefined;
  const held = node.state === "connected" ? 3 : 2;
  const document = (kind: "dictionary" | "limits", holds: number) => ({
    mission: "aurora-1",
    kind,
    wanted: 3,
    held: hasSession ? holds : null,
    missing: hasSession && holds < 3 ? [3] : [],
    state: !hasSession ? ("unknown" as const) : holds < 3 ? ("behind" as const) : ("current" as const),
    since: hasSession && holds < 3 ? iso(now - 7_200_000) : null,
  });
  const waiting = node.report?.backlog.batches ?? 0;
  return {
    at: iso(now),
    node,
    is_built_in: false,
    missions: missionsOf(world).get(node.name) ?? null,
    enrolled_at: iso(now - 66 * 86_400_000),
    enrolled_host: `${node.name}.station.example`,
    certificate_ends: iso(now + (node.report?.certificate_days ?? 0) * 86_400_000),
    certificate_days: node.report?.certificate_days ?? null,
    documents: [
      document("dictionary", 3),
      document("limits", held),
      { ...document("dictionary", 3), mission: null, kind: "trust", wanted: 1, held: 1 },
    ],
    logs: hasSession
      ? ["telemetry", "alarm"].map((lane) => ({
          epoch: 2,
          lane,
          watermark: lane === "alarm" ? 48 : 7_214,
          committed_beyond: 0,
          head: (lane === "alarm" ? 48 : 7_214) + (lane === "alarm" ? 0 : waiting),
          waiting: lane === "alarm" ? 0 : waiting,
          records: lane === "alarm" ? 48 : node.archived_packets,
          gaps: lane === "telemetry" && node.name === "kiruna-1" ? 2 : 0,
          forks: 0,
          apart: 0,
        }))
      : [],
    sessions: hasSession
      ? [
          {
            number: 412,
            since: node.since ?? iso(now),
            until: node.state === "connected" ? null : (node.last_contact ?? null),
            reason: node.state === "connected" ? null : (node.problem ?? null),
          },
        ]
      : [],
    events: [
      ...(revokedOf(world).has(node.name)
        ? [
            {
              at: iso(now),
              code: "STO-ADMIN-NODE",
              node: node.name,
              text: `operator revoked ${node.name}: ${revokedOf(world).get(node.name)}`,
            },
          ]
        : []),
      {
        at: iso(now - 66 * 86_400_000),
        code: "STO-ADMIN-ENROLMENT",
        node: node.name,
        text: `${node.name} was enrolled`,
      },
    ],
  };
}

export const answerFleet: MockRoute = (request) => {
  const [first, name] = request.path;
  if (first === "places") return answerPlaces(request);
  if (first === "nodes" && name !== undefined) return answerNode(request);
  return null;
};

function answerPlaces({ world, method, path, body }: MockRequest): Response {
  const site = path[1];
  if (method !== "PUT" || site === undefined) return Response.json(places(world));
  const refused = refusedAdministration(world);
  if (refused !== null) return refused;
  placesOf(world).set(site, JSON.parse(body ?? "{}"));
  return Response.json(places(world).sites.find((one) => one.site === site));
}

function answerNode({ world, method, path, body }: MockRequest): Response {
  const [, name = "", act] = path;
  const node = world.currentNodes().find((one) => one.name === name);
  if (node === undefined)
    return problem(
      404,
      "STO-API-UNKNOWN-NODE",
      "No such node",
      `there is no node "${name}"; names are in the list`,
    );
  if (act === undefined) return Response.json(detail(world, node));
  const refused = refusedAdministration(world);
  if (refused !== null) return refused;
  const said = JSON.parse(body ?? "{}");
  if (act === "missions" && method === "PUT") missionsOf(world).set(name, said.missions);
  if (act === "revoke" && method === "POST") {
    revokedOf(world).set(name, said.reason);
    world.nodes = world
      .currentNodes()
      .map((one) =>
        one.name === name ? { ...one, state: "revoked" as const, problem: `revoked: ${said.reason}` } : one,
      );
  }
  return Response.json(detail(world, world.currentNodes().find((one) => one.name === name) ?? node));
}
