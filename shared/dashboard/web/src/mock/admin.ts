// Tokens, people, dictionaries and the hub itself, as the server administers them.
import type { ApiToken, EnrolmentToken, HubStanding, Person } from "../api/admin";
import { type MockRequest, type MockRoute, problem, stateOf } from "./answers";
import { answerDictionary } from "./dictionary";
import { refusedAdministration } from "./rights";
import type { MockWorld } from "./world";

const HOUR = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();

/** What secrets of the mock begin with: tests look for it where no secret may be. */
export const SECRET = "MOCK-SECRET";

interface State {
  made: number;
  enrolment: EnrolmentToken[];
  api: ApiToken[];
  people: Person[];
}

const stateOfWorld = stateOf(
  (world): State => ({
    made: 0,
    enrolment: [
      enrolment(world, 1, { node: "inuvik-2", site: "Inuvik, Canada", state: "unused" }),
      enrolment(world, 2, {
        node: "kiruna-1",
        site: "Kiruna, Sweden",
        state: "used",
        used_at: iso(world.now() - 66 * 24 * HOUR),
        used_host: "gs-kiruna",
        expires: iso(world.now() - 65 * 24 * HOUR),
      }),
    ],
    api: [
      {
        name: "grafana",
        role: "viewer",
        missions: ["aurora-1"],
        state: "in-force",
        made_at: iso(world.now() - 40 * 24 * HOUR),
        made_by: "operator",
        expires: iso(world.now() + 50 * 24 * HOUR),
        revoked_at: null,
      },
    ],
    people: [
      {
        name: "kari",
        sessions: [
          {
            role: "operator",
            missions: null,
            since: iso(world.now() - 3 * HOUR),
            until: iso(world.now() + 9 * HOUR),
            last_used: iso(world.now() - 60_000),
          },
        ],
        codes: [{ role: "operator", missions: null, until: iso(world.now() + 300_000) }],
      },
      {
        name: "tom",
        sessions: [
          {
            role: "viewer",
            missions: ["kestrel"],
            since: iso(world.now() - HOUR),
            until: iso(world.now() + 11 * HOUR),
            last_used: null,
          },
        ],
        codes: [],
      },
    ],
  }),
);

function enrolment(world: MockWorld, number: number, changes: Partial<EnrolmentToken>): EnrolmentToken {
  return {
    id: number.toString(16).padStart(32, "0"),
    node: "",
    site: "",
    missions: null,
    state: "unused",
    made_at: iso(world.now() - HOUR),
    made_by: "operator",
    expires: iso(world.now() + 23 * HOUR),
    used_at: null,
    used_host: null,
    ...changes,
  };
}

const LISTS = ["api-tokens", "enrolment-tokens", "hub", "login-codes", "people"];

export const answerAdmin: MockRoute = (request) => {
  const { path, world } = request;
  if (path[0] === "missions" && path[2] === "dictionary") return answerDictionary(request);
  if (!LISTS.includes(path[0] ?? "")) return null;
  const refused = refusedAdministration(world);
  if (refused !== null) return refused;
  switch (path[0]) {
    case "api-tokens":
      return apiTokens(request);
    case "enrolment-tokens":
      return enrolmentTokens(request);
    case "hub":
      return Response.json(hub(world));
    case "login-codes":
      return loginCodes(request);
    default:
      return people(request);
  }
};

function enrolmentTokens({ world, method, path, body }: MockRequest): Response {
  const state = stateOfWorld(world);
  const [, id] = path;
  if (method === "POST") {
    const { hours, ...asked } = JSON.parse(body ?? "{}");
    state.made += 1;
    const token = enrolment(world, 100 + state.made, {
      ...asked,
      made_at: iso(world.now()),
      expires: iso(world.now() + hours * HOUR),
    });
    state.enrolment.unshift(token);
    return Response.json({ token, text: `STO1-${SECRET}-${"abcdefghjkmnpqrstvwxyz0123456789".repeat(4)}` });
  }
  if (id === undefined) return Response.json({ tokens: state.enrolment, more: false });
  const token = state.enrolment.find((one) => one.id === id);
  if (token === undefined)
    return problem(404, "STO-ADMIN-TOKEN-UNKNOWN", "There is no such token", "take an id of the list");
  if (token.state !== "unused")
    return problem(409, "STO-ADMIN-TOKEN-OVER", "The token is over already", `it is ${token.state}`);
  token.state = "ended";
  return new Response(null, { status: 204 });
}

function apiTokens({ world, method, path, body }: MockRequest): Response {
  const state = stateOfWorld(world);
  if (method === "POST") {
    const { days, ...asked } = JSON.parse(body ?? "{}");
    if (state.api.some((one) => one.name === asked.name && one.state === "in-force"))
      return problem(
        409,
        "STO-ADMIN-API-TOKEN-KNOWN",
        "The name is taken",
        `${asked.name} has a token in force`,
      );
    const token: ApiToken = {
      ...asked,
      state: "in-force",
      made_at: iso(world.now()),
      made_by: "operator",
      expires: iso(world.now() + days * 24 * HOUR),
      revoked_at: null,
    };
    state.api.unshift(token);
    return Response.json({ token, text: `sto_${SECRET}0123456789` });
  }
  if (method === "GET") return Response.json({ tokens: state.api, more: false });
  for (const token of state.api)
    if (token.name === path[1])
      Object.assign(token, { state: "revoked" as const, revoked_at: iso(world.now()) });
  return new Response(null, { status: 204 });
}

function loginCodes({ world, body }: MockRequest): Response {
  const state = stateOfWorld(world);
  const { name, role, missions } = JSON.parse(body ?? "{}");
  const until = iso(world.now() + 600_000);
  const known = state.people.find((one) => one.name === name);
  const person: Person = known ?? { name, sessions: [], codes: [] };
  if (known === undefined) state.people.push(person);
  person.codes.unshift({ role, missions: missions ?? null, until });
  return Response.json({ name, code: `${SECRET}-11`, until });
}

function people({ world, method, path }: MockRequest): Response {
  const state = stateOfWorld(world);
  if (method === "GET") return Response.json({ people: state.people, more: false });
  state.people = state.people.filter((person) => person.name !== path[1]);
  return new Response(null, { status: 204 });
}

function hub(world: MockWorld): HubStanding {
  const now = world.now();
  return {
    at: iso(now),
    version: "0.1.0",
    started_at: iso(now - 53 * HOUR),
    role: "leader",
    leader: "hub-a",
    hubs: [
      {
        id: "6f1e2c1a-0f57-4f0c-9f0e-000000000001",
        address: null,
        since: iso(now - 53 * HOUR),
        leads: true,
        is_this: true,
      },
      {
        id: "6f1e2c1a-0f57-4f0c-9f0e-000000000002",
        address: "10.0.4.12",
        since: iso(now - 20 * HOUR),
        leads: false,
        is_this: false,
      },
    ],
    sessions: world.currentNodes().filter((node) => node.state === "connected").length,
    database: {
      version: "17.6",
      is_private: true,
      bytes: 48_318_382_080,
      oldest: iso(now - 400 * 24 * HOUR),
      newest: iso(now - 900),
      has_checksums: true,
      checksum_failures: 0,
      is_standby: false,
      tables: [
        { name: "sample", partitions: 402, bytes: 30_064_771_072 },
        { name: "packet", partitions: 402, bytes: 16_106_127_360 },
        { name: "alarm_entry", partitions: 0, bytes: 12_582_912 },
      ],
      replicas: [{ name: "hub-b", state: "streaming", behind_bytes: 0 }],
      unprotected: [],
    },
    trust: {
      number: 2,
      made_at: iso(now - 90 * 24 * HOUR),
      own: "7f3a9c55e1d04b7e",
      authorities: ["7f3a9c55e1d04b7e", "a1b2c3d4e5f60718"],
      problem: null,
    },
    endpoints: {
      number: 3,
      made_at: iso(now - 10 * 24 * HOUR),
      hubs: [
        { name: "hub-a", address: "10.0.4.11:4433" },
        { name: "hub-b", address: "10.0.4.12:4433" },
      ],
      advertised: ["10.0.4.11:4433"],
    },
    missions: world.missions().map((mission) => ({
      name: mission.name,
      title: mission.title,
      parameter_count: mission.parameter_count,
      dictionary_version: mission.dictionary_version,
      dictionary_problem: mission.dictionary_problem ?? null,
      limits_version: mission.limits_version ?? null,
      alarm_rules_version: 2,
      detection_rules_version: null,
      models: 1,
      nodes: 3,
      nodes_allowed: 5,
    })),
  };
}
