// The whole dashboard against the mock world, on time that the test moves.
import { createMemoryHistory } from "@tanstack/react-router";
import { act, render } from "@testing-library/react";
import { vi } from "vitest";
import { App } from "../App";
import { createQueryClient, forgetDescriptions } from "../api/queries";
import { LiveClient } from "../live/client";
import { installMock } from "../mock/install";
import { MockSocket } from "../mock/socket";
import type { MockOptions, MockWorld } from "../mock/world";
import { createAppRouter } from "../router";

export const START = Date.parse("2026-11-22T12:31:05Z");

export interface Options {
  path?: string;
  start?: number;
  code?: string;
  reachable?: boolean;
  mock?: Partial<MockOptions>;
  /** What is different in the world before the page is opened. */
  prepare?: (world: MockWorld) => void;
}

/** Needs fake timers; `advance` is the only way time passes. */
export async function openDashboard({
  path = "/nodes",
  start = START,
  code,
  reachable = true,
  mock: changes,
  prepare,
}: Options = {}) {
  vi.setSystemTime(start);
  MockSocket.open.clear();
  const { world, openSocket } = installMock({ clock: Date.now, loggedIn: true, ...changes });
  world.reachable = reachable;
  prepare?.(world);
  const queries = createQueryClient();
  const live = new LiveClient({
    openSocket,
    clock: Date.now,
    random: () => 0.5,
    onRefusedConnection: () => void queries.invalidateQueries({ queryKey: ["session"] }),
    onDescriptions: (mission) => forgetDescriptions(queries, mission),
  });
  const router = createAppRouter(createMemoryHistory({ initialEntries: [path] }));
  let pending: string | null = code ?? null;
  const takeCode = () => {
    const taken = pending;
    pending = null;
    return taken;
  };
  render(<App queries={queries} live={live} router={router} takeCode={takeCode} />);
  await advance(1500);
  return { world, live, router };
}

export async function advance(ms: number): Promise<void> {
  await act(async () => {
    await vi.advanceTimersByTimeAsync(ms);
  });
}

/** Pages are loaded on demand, over real promises, and some load their heavy part once they are there. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    await vi.dynamicImportSettled();
    await advance(500);
  }
}

export function theSocket(): MockSocket {
  const [socket] = MockSocket.open;
  if (socket === undefined) throw new Error("no live connection is open");
  return socket;
}
