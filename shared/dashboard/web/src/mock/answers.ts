// What the mock's routes are made of.
import type { Problem } from "../types";
import type { MockWorld } from "./world";

export interface MockRequest {
  world: MockWorld;
  method: string;
  url: URL;
  /** `["missions", "aurora-1", "alarms"]`: what stands behind `/api/v1/`, decoded. */
  path: string[];
  body: string | null;
}

/** `null` when the request is another route's. */
export type MockRoute = (request: MockRequest) => Response | null;

export function problem(status: number, code: string, title: string, detail: string): Response {
  const body: Problem = { type: `docs/errors#${code}`, title, status, code, detail };
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/problem+json" },
  });
}

/** A world's own state of one kind, made when it is first asked for. */
export function stateOf<T extends object>(make: (world: MockWorld) => T): (world: MockWorld) => T {
  const states = new WeakMap<MockWorld, T>();
  return (world) => {
    const known = states.get(world);
    if (known !== undefined) return known;
    const made = make(world);
    states.set(world, made);
    return made;
  };
}
