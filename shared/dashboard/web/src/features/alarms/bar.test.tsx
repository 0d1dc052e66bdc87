import { QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from "@tanstack/react-router";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createQueryClient } from "../../api/queries";
import { LiveClient } from "../../live/client";
import { LiveContext } from "../../live/hooks";
import { alarmStateOf } from "../../mock/alarms";
import { installMock } from "../../mock/install";
import { MockSocket } from "../../mock/socket";
import type { MockOptions, MockWorld } from "../../mock/world";
import { advance, START, theSocket } from "../../test/app";
import { AlarmBar } from "./AlarmBar";

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(START);
});
afterEach(() => {
  MockSocket.open.clear();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });
const assertive = () => bar().querySelector('[aria-live="assertive"]')?.textContent;
const bar = () => screen.getByRole("region", { name: "Alarms of all missions" });

/** The bar alone, on a page that has nothing else. */
async function openBar(changes: Partial<MockOptions> = {}, prepare: (world: MockWorld) => void = () => {}) {
  const { world, openSocket } = installMock({ clock: Date.now, loggedIn: true, ...changes });
  prepare(world);
  const live = new LiveClient({ openSocket, clock: Date.now, random: () => 0.5 });
  const root = createRootRoute({ component: AlarmBar });
  const alarms = createRoute({ getParentRoute: () => root, path: "/alarms" });
  const router = createRouter({
    routeTree: root.addChildren([alarms]),
    history: createMemoryHistory({ initialEntries: ["/"] }),
  });
  live.start();
  render(
    <QueryClientProvider client={createQueryClient()}>
      <LiveContext value={live}>
        <RouterProvider router={router} />
      </LiveContext>
    </QueryClientProvider>,
  );
  await advance(1500);
  return { world, live, router };
}

function raise(
  world: Parameters<typeof alarmStateOf>[0],
  severity: "critical" | "watch",
  mission = "kestrel",
) {
  alarmStateOf(world)
    .get(mission)
    ?.raise({ parameter: `/k/${severity}`, severity, minutes: 0 });
}

test("the bar counts unacknowledged alarms of all missions by severity, and what is silenced", async () => {
  const { world, live, router } = await openBar();
  raise(world, "critical");
  await advance(500);
  expect(within(bar()).getByRole("link", { name: "2 critical" })).toBeTruthy();
  expect(within(bar()).getByRole("link", { name: "1 warning" })).toBeTruthy();
  expect(within(bar()).getByRole("link", { name: "0 shelved" })).toBeTruthy();
  expect(within(bar()).getByRole("link", { name: "0 out of service" })).toBeTruthy();
  await user().click(within(bar()).getByRole("link", { name: "2 critical" }));
  await advance(100);
  expect(router.state.location.href).toBe("/alarms?state=unacknowledged&at_least=critical");
  live.stop();
});

test("a new critical alarm is an alert, others are said politely; what was there is neither", async () => {
  const { world, live } = await openBar();
  expect(assertive()).toBe("");
  raise(world, "watch");
  await advance(500);
  expect(assertive()).toBe("");
  expect(
    within(bar()).getByText("1 new alarm: 1 watch.").closest("[aria-live]")?.getAttribute("aria-live"),
  ).toBe("polite");
  raise(world, "critical");
  await advance(500);
  expect(assertive()).toBe("New critical alarm: /k/critical, mission kestrel.");
  live.stop();
});

test("a second announcement of the same words is a new element, so that it is spoken too", async () => {
  const { world, live } = await openBar();
  raise(world, "critical");
  await advance(500);
  const spoken = () => within(bar()).getByText("New critical alarm: /k/critical, mission kestrel.");
  const first = spoken();
  await advance(2_000);
  expect(spoken()).toBe(first);
  raise(world, "critical");
  await advance(500);
  expect(spoken()).not.toBe(first);
  live.stop();
});

test("a mission without any alarms here makes nothing of the others doubtful", async () => {
  const { world, live } = await openBar();
  alarmStateOf(world).delete("kestrel");
  await advance(61_000);
  expect(world.requests.filter((request) => request.includes("/kestrel/alarms"))).toHaveLength(2);
  expect(within(bar()).queryByText("last known")).toBeNull();
  live.stop();
});

const symbols = () => [...bar().querySelectorAll(".symbol")].map(({ classList }) => [...classList].join(" "));

test("without an answer nothing is said of alarms, least of all that there are none", async () => {
  const { world, live } = await openBar({}, (prepared) =>
    Object.assign(prepared, { refusing: /\/missions$/ }),
  );
  expect(within(bar()).getByRole("link").textContent).toContain("alarms not known");
  expect(within(bar()).getByText("The question took too long")).toBeTruthy();
  expect(symbols()).toEqual(["symbol off"]);
  world.refusing = null;
  await advance(61_000);
  expect(within(bar()).queryByText(/alarms not known|The question took too long/)).toBeNull();
  expect(symbols()).not.toContain("symbol off");
  live.stop();
});

test("none unacknowledged is hollow when it is no more current", async () => {
  const { world, live } = await openBar({}, (prepared) => {
    for (const state of alarmStateOf(prepared).values()) state.histories.splice(0);
  });
  expect(within(bar()).getByRole("link", { name: "0 unacknowledged" })).toBeTruthy();
  expect(symbols()).toEqual(["symbol normal"]);
  world.reachable = false;
  await advance(15_000);
  expect(symbols()).toEqual(["symbol normal hollow"]);
  expect(within(bar()).getByText("last known")).toBeTruthy();
  live.stop();
});

test("a mission whose stream is refused is asked for", async () => {
  const { world, live } = await openBar({ subscriptionsMax: 1 });
  expect(theSocket().ids("alarms")).toHaveLength(1);
  expect(within(bar()).queryByText("last known")).toBeNull();
  raise(world, "critical", "aurora-1");
  raise(world, "critical", "kestrel");
  await advance(11_000);
  expect(within(bar()).getByRole("link", { name: "3 critical" })).toBeTruthy();
  live.stop();
});

test("what cannot be current is called last known", async () => {
  const { world, live } = await openBar();
  expect(within(bar()).queryByText("last known")).toBeNull();
  world.reachable = false;
  await advance(15_000);
  expect(within(bar()).getByText("last known")).toBeTruthy();
  expect(symbols().every((symbol) => symbol.endsWith("hollow"))).toBe(true);
  live.stop();
});

test("tones are off until they are switched on, and since when they are muted stays in sight", async () => {
  const begun = vi.fn();
  vi.stubGlobal("AudioContext", silentAudio(begun));
  const { world, live } = await openBar();
  raise(world, "critical");
  await advance(500);
  expect(begun).not.toHaveBeenCalled();
  await user().click(within(bar()).getByRole("button", { name: "Sound off" }));
  expect(begun).toHaveBeenCalledTimes(1);
  raise(world, "critical");
  await advance(500);
  expect(begun).toHaveBeenCalledTimes(4);
  await user().click(within(bar()).getByRole("button", { name: "Sound on" }));
  raise(world, "critical");
  await advance(500);
  expect(begun).toHaveBeenCalledTimes(4);
  expect(within(bar()).getByRole("button", { name: /^Muted since 12:31:\d\dZ$/ })).toBeTruthy();
  live.stop();
});

/** As much of WebAudio as the tones use; tells of each tone that begins. */
function silentAudio(begun: () => void) {
  const gain = { setValueAtTime: vi.fn(), linearRampToValueAtTime: vi.fn() };
  return class {
    currentTime = 0;
    destination = {};
    async resume() {}
    createGain() {
      return { gain, connect: vi.fn() };
    }
    createOscillator() {
      return { frequency: { value: 0 }, connect: (next: unknown) => next, start: begun, stop: vi.fn() };
    }
  };
}
