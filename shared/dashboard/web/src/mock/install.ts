// Puts the mock world in the place of `fetch` and the live socket: for `npm run dev:mock` and for tests.
import { MockSocket } from "./socket";
import { type MockOptions, MockWorld } from "./world";

export interface Mock {
  world: MockWorld;
  openSocket: () => MockSocket;
}

export function installMock(options: MockOptions): Mock {
  const world = new MockWorld(options);
  globalThis.fetch = async (input, init) => {
    const body = typeof init?.body === "string" ? init.body : null;
    return world.answer(init?.method ?? "GET", String(input), body, new Headers(init?.headers));
  };
  return { world, openSocket: () => new MockSocket(world) };
}
