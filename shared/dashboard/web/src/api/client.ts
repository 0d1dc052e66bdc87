// How the dashboard asks the server: one function, and one error type that can be shown to a person.
import type { Problem } from "../types";

const CSRF_HEADER = { "x-sto-request": "dashboard" } as const;

/** The server answered, and said no. */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.name = "ProblemError";
  }
}

/** No answer came at all. */
export class UnreachableError extends Error {
  constructor(cause: unknown) {
    super("The server did not answer.", { cause });
    this.name = "UnreachableError";
  }
}

export function isUnauthorized(error: unknown): boolean {
  return error instanceof ProblemError && error.problem.status === 401;
}

/** What happened and what to do, for any error that a request can end with. */
export interface Explanation {
  title: string;
  detail: string;
  code: string | null;
}

export function explain(error: unknown): Explanation {
  if (error instanceof ProblemError)
    return {
      title: sentence(error.problem.title),
      detail: sentence(error.problem.detail),
      code: error.problem.code,
    };
  if (error instanceof UnreachableError)
    return {
      title: "No answer from the server",
      detail: "Check that it runs and that this machine reaches it; the dashboard keeps trying.",
      code: null,
    };
  return {
    title: "The dashboard failed",
    detail: error instanceof Error ? error.message : String(error),
    code: null,
  };
}

/** A word of lower-case letters only. Files, addresses, nodes and fields are written as they are: `limits.toml`, `kiruna-1`. */
const PLAIN_WORD = /^\p{Ll}[\p{Ll}'’]*(?=[,;:.!?]?(\s|$))/u;

/** Servers write errors as parts of a chain, in lower case; here one stands alone. */
function sentence(text: string): string {
  return PLAIN_WORD.test(text) ? text.slice(0, 1).toUpperCase() + text.slice(1) : text;
}

const API = "/api/v1";

/** The address of something of a mission; `leaf` is written as addresses are. */
export function missionPath(mission: string, leaf: string): string {
  return `${API}/missions/${encodeURIComponent(mission)}/${leaf}`;
}

export type Method = "DELETE" | "GET" | "POST" | "PUT";

/** A body that goes as it is; all others are written as JSON. */
export class TextBody {
  constructor(
    readonly type: string,
    readonly text: string,
  ) {}
}

export async function request<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const response = await send(method, path, body);
  if (!response.ok) throw new ProblemError(await readProblem(response));
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

async function send(method: Method, path: string, body: unknown): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (method !== "GET") Object.assign(headers, CSRF_HEADER);
  const text = body instanceof TextBody ? body.text : JSON.stringify(body);
  if (body !== undefined) headers["content-type"] = body instanceof TextBody ? body.type : "application/json";
  try {
    return await fetch(path, {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      ...(body === undefined ? {} : { body: text }),
    });
  } catch (cause) {
    throw new UnreachableError(cause);
  }
}

/** A proxy in between may answer with anything; a missing field is filled from the status line. */
async function readProblem(response: Response): Promise<Problem> {
  const said: Partial<Problem> = await response.json().catch(() => ({}));
  return {
    type: said.type ?? "about:blank",
    title: said.title ?? `The server answered ${response.status} ${response.statusText}`.trim(),
    status: response.status,
    code: said.code ?? `HTTP-${response.status}`,
    detail: said.detail ?? "It gave no reason. Try again; if it stays, look at the server's log.",
  };
}
