// A small space segment in memory: satellites, stations, and the server's side of the contract.
// The dev server's mock mode and the tests talk to it; nothing of it is in the product's bundle.
import type {
  EventEntry,
  ManyBuckets,
  Mission,
  Node,
  ParameterDescription,
  Sample,
  Samples,
  Session,
  Silence,
} from "../types";
import { type MockRequest, problem } from "./answers";
import { makeNodes } from "./nodes";
import { definitions, type MockParameter, numericAt, qualityOf, rawAt, valueAt } from "./parameters";
import { ROUTES } from "./routes";

export const MOCK_CODE = "APOLLO-11";

export interface MockOptions {
  clock: () => number;
  loggedIn?: boolean;
  kind?: "edge" | "hub";
  role?: Session["role"];
  /** Subscriptions a connection may have. */
  subscriptionsMax?: number;
  /** Many alarms at once. */
  flood?: boolean;
  principal?: string;
  /** No telemetry came before. Unix milliseconds. */
  receivingSince?: number;
}

export class MockWorld {
  loggedIn: boolean;
  /** When false, requests fail and sockets close, as with a stopped server. */
  reachable = true;
  /** How long an answer is on its way. */
  latencyMs = 0;
  /** How long it takes the live connection to tell what there is of what was asked for. */
  snapshotAfterMs = 0;
  /** Requests such as `GET /api/v1/nodes` that are refused with a 503. */
  refusing: RegExp | null = null;
  /** Requests that are carried out and whose answers are lost. */
  losing: RegExp | null = null;
  /** Spans without telemetry, Unix milliseconds, and what may be their cause. */
  readonly outages: { from: number; to: number; causes?: Silence["causes"] }[] = [];
  readonly requests: string[] = [];
  /** What live streams of events bring; `mission` is `null` of the server's own events. */
  readonly events: { mission: string | null; at: number; entry: EventEntry }[] = [];
  /** What stations sent late: it stands in the archive, and no stream brings it. */
  readonly late: { at: number; text: string }[] = [];
  nodes: Node[] | null = null;
  /** What missions say of their dictionaries, where it is not the first one's. */
  readonly dictionaries: Record<string, Partial<Mission>> = {
    "aurora-1": {
      dictionary_version: 2,
      dictionary_effective_from: "2026-10-01T00:00:00Z",
      limits_version: 3,
      dictionary_versions: [
        { number: 1, effective_from: null, name: "Aurora", version: "1.0" },
        { number: 2, effective_from: "2026-10-01T00:00:00Z", name: "Aurora", version: "1.1" },
        { number: 3, effective_from: "2026-12-01T00:00:00Z", name: "Aurora", version: "2.0" },
      ],
    },
    kestrel: {
      dictionary_problem: "dictionary line 214: unknown unit type `degree`; the last good one is in use",
    },
  };
  private readonly parameters: Map<string, MockParameter[]>;

  constructor(readonly options: MockOptions) {
    this.loggedIn = options.loggedIn ?? false;
    this.parameters = definitions();
  }

  now(): number {
    return this.options.clock();
  }

  currentNodes(): Node[] {
    return this.nodes ?? makeNodes(this.now(), this.options.kind ?? "hub");
  }

  session(): Session {
    const kind = this.options.kind ?? "hub";
    return {
      principal: this.options.principal ?? "operator",
      role: this.options.role ?? "operator",
      expires: iso(this.now() + 12 * 3_600_000),
      server: { kind, name: kind === "hub" ? "hub" : "svalbard-1", version: "0.1.0", boot_id: "mock-boot" },
    };
  }

  async answer(method: string, target: string, body: string | null, headers: Headers): Promise<Response> {
    const url = new URL(target, "http://mock");
    const asked = `${method} ${url.pathname}${url.search}`;
    this.requests.push(asked);
    if (!this.reachable) throw new TypeError("fetch failed");
    const answer = this.refusing?.test(asked)
      ? problem(503, "STO-API-TOO-SLOW", "The question took too long", "Ask for less, or try again.")
      : this.answerNow(method, url, body, headers);
    if (this.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.latencyMs));
    if (this.losing?.test(asked)) throw new TypeError("fetch failed");
    return answer;
  }

  private answerNow(method: string, url: URL, body: string | null, headers: Headers): Response {
    if (method !== "GET" && headers.get("x-sto-request") !== "dashboard")
      return problem(403, "STO-API-CROSS-SITE", "Request refused", "The header x-sto-request is missing.");
    if (url.pathname === "/api/v1/session") return this.answerSession(method, body);
    if (!this.loggedIn) return unauthorized("Not logged in", "Log in with a one-time code.");
    const request: MockRequest = { world: this, method, url, path: decodedPath(url), body };
    for (const route of ROUTES) {
      const answer = route(request);
      if (answer !== null) return answer;
    }
    return this.answerData(url);
  }

  private answerSession(method: string, body: string | null): Response {
    if (method === "GET")
      return this.loggedIn
        ? Response.json(this.session())
        : unauthorized("Not logged in", "Log in with a one-time code.");
    if (method === "POST" && JSON.parse(body ?? "{}").code !== MOCK_CODE)
      return unauthorized(
        "The code was not accepted",
        "It is wrong, was used before, or is older than ten minutes. Print a new one with `cloud-hub login-code`.",
      );
    this.loggedIn = method === "POST";
    return new Response(null, { status: 204 });
  }

  private answerData(url: URL): Response {
    if (url.pathname === "/api/v1/nodes")
      return Response.json({ at: iso(this.now()), nodes: this.currentNodes() });
    if (url.pathname === "/api/v1/missions") return Response.json({ missions: this.missions() });
    const match = /^\/api\/v1\/missions\/([^/]+)\/(\w+)$/.exec(url.pathname);
    const mission = decodeURIComponent(match?.[1] ?? "");
    const parameters = this.parameters.get(mission);
    if (match === null || parameters === undefined)
      return problem(404, "STO-API-UNKNOWN-MISSION", "No such mission", `There is no mission "${mission}".`);
    if (match[2] === "parameters") {
      const described: ParameterDescription[] = parameters.map((p) => p.description);
      return Response.json({ parameters: described });
    }
    if (match[2] === "at") return this.answerAt(parameters, url.searchParams);
    if (match[2] === "latest")
      return Response.json({ at: iso(this.now()), values: parameters.flatMap((p) => this.latest(p) ?? []) });
    if (match[2] === "buckets") return this.answerBuckets(parameters, url.searchParams);
    return this.answerSamples(parameters, url.searchParams);
  }

  private answerAt(parameters: MockParameter[], search: URLSearchParams): Response {
    const at = Date.parse(search.get("time") ?? "");
    const lookBack = 24 * 3_600_000;
    const values = search.getAll("parameter").map((name) => {
      const parameter = parameters.find((p) => p.description.name === name);
      const newest = parameter && this.times(parameter, at - 6 * 3_600_000, Math.min(at, this.now())).at(-1);
      const sample = parameter && newest !== undefined ? this.sample(parameter, newest) : null;
      return { parameter: name, sample, age_ms: newest === undefined ? null : at - newest };
    });
    return Response.json({ at: iso(at), looked_back_to: iso(at - lookBack), values });
  }

  missions(): Mission[] {
    const titles: Record<string, string> = {
      "aurora-1": "Aurora 1, polar weather satellite",
      kestrel: "Kestrel lunar rover",
    };
    return [...this.parameters].map(([name, list]) => ({
      name,
      title: titles[name] ?? name,
      parameter_count: list.length,
      dictionary_problem: null,
      dictionary_version: 1,
      dictionary_effective_from: null,
      limits_version: null,
      dictionary_versions: [{ number: 1, effective_from: null, name, version: null }],
      ...this.dictionaries[name],
    }));
  }

  private answerSamples(parameters: MockParameter[], search: URLSearchParams): Response {
    const parameter = parameters.find((p) => p.description.name === search.get("parameter"));
    if (parameter === undefined)
      return problem(
        404,
        "STO-API-UNKNOWN-PARAMETER",
        "No such parameter",
        `${search.get("parameter")} is unknown.`,
      );
    const times = this.times(parameter, ...this.span(search));
    const answer: Samples = {
      kind: "page",
      parameter: parameter.description.name,
      samples: times.slice(0, Number(search.get("limit") ?? 1000)).map((t) => this.sample(parameter, t)),
    };
    return Response.json(answer);
  }

  private answerBuckets(parameters: MockParameter[], search: URLSearchParams): Response {
    const [from, to] = this.span(search);
    const gaps = search.get("gaps") === "true" ? this.silences(from, to) : null;
    const answers = search.getAll("parameter").map((name): ManyBuckets["answers"][number] => {
      const parameter = parameters.find((p) => p.description.name === name);
      if (parameter === undefined)
        return {
          kind: "problem",
          type: "error-codes.html#sto-api-unknown-parameter",
          title: "There is no such parameter",
          status: 404,
          code: "STO-API-UNKNOWN-PARAMETER",
          detail: `${name} is unknown.`,
        };
      const times = this.times(parameter, from, to);
      return { ...bucketed(parameter, times, from, to, Number(search.get("points"))), gaps };
    });
    return Response.json({ answers });
  }

  private span(search: URLSearchParams): [number, number] {
    const [from, to] = [search.get("from"), search.get("to")].map((time) => Date.parse(time ?? ""));
    return [from ?? Number.NaN, Math.min(to ?? Number.NaN, this.now())];
  }

  private silences(from: number, to: number): Silence[] {
    return this.outages
      .filter((outage) => outage.from < to && outage.to > from)
      .map((outage) => ({
        from: iso(Math.max(from, outage.from)),
        to: iso(Math.min(to, outage.to)),
        causes: outage.causes ?? [{ kind: "unknown" }],
      }));
  }

  find(mission: string, path: string): MockParameter | undefined {
    return this.parameters.get(mission)?.find((p) => p.description.name === path);
  }

  latest(parameter: MockParameter): Sample | null {
    const now = this.now();
    const newest = this.times(parameter, now - 6 * 3_600_000, now).at(-1);
    return newest === undefined ? null : this.sample(parameter, newest);
  }

  times(parameter: MockParameter, from: number, to: number): number[] {
    const { period, silentSince } = parameter;
    const end = silentSince === null ? to : Math.min(to, this.now() - silentSince);
    const times: number[] = [];
    for (let t = Math.ceil(from / period) * period; t <= end; t += period)
      if (!this.outages.some((outage) => t >= outage.from && t < outage.to)) times.push(t);
    return times;
  }

  sample(parameter: MockParameter, at: number): Sample {
    return {
      parameter: parameter.description.name,
      generation_time: iso(at),
      reception_time: iso(at + 180),
      raw: rawAt(parameter, at),
      engineering: valueAt(parameter, at),
      node: "svalbard-1",
      interval_ms: parameter.period,
      provenance: "live",
      ...qualityOf(parameter),
      dictionary_version: 2,
    };
  }
}

function bucketed(parameter: MockParameter, times: number[], from: number, to: number, points: number) {
  const width = times.length <= points ? 0 : Math.max(1, (to - from) / points);
  const answer = {
    kind: "buckets" as const,
    parameter: parameter.description.name,
    count: times.length,
    bucket_ms: width,
    times: [] as number[],
    min: [] as (number | null)[],
    max: [] as (number | null)[],
    first: [] as (number | null)[],
    last: [] as (number | null)[],
  };
  let bucket = -1;
  for (const t of times) {
    const v = numericAt(parameter, t);
    const index = width === 0 ? bucket + 1 : Math.floor((t - from) / width);
    const at = answer.times.length - 1;
    if (index === bucket) {
      if (v === null) continue;
      answer.min[at] = Math.min(answer.min[at] ?? v, v);
      answer.max[at] = Math.max(answer.max[at] ?? v, v);
      answer.last[at] = v;
    } else {
      bucket = index;
      answer.times.push(t);
      for (const column of [answer.min, answer.max, answer.first, answer.last]) column.push(v);
    }
  }
  return answer;
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function unauthorized(title: string, detail: string): Response {
  return problem(401, "STO-API-NOT-LOGGED-IN", title, detail);
}

/** `["missions", "aurora-1", "alarms"]`: what stands behind `/api/v1/`. */
function decodedPath(url: URL): string[] {
  return url.pathname
    .replace(/^\/api\/v1\//, "")
    .split("/")
    .map(decodeURIComponent);
}
