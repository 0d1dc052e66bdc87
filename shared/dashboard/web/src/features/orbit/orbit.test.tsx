import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useEffect } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { advance, type Options, openDashboard } from "../../test/app";
import type { GlobeProps } from "./Globe";

let drawn: GlobeProps | null = null;
let fails = false;

// There is no WebGL here; what the globe is given to draw is what counts.
vi.mock("./Globe", () => ({
  default: function Globe(props: GlobeProps) {
    drawn = props;
    useEffect(() => {
      if (fails) props.onFailure();
    }, [props.onFailure]);
    return <div role="img" aria-label={props.label} />;
  },
}));

beforeEach(() => {
  vi.useFakeTimers();
  drawn = null;
  fails = false;
});
afterEach(() => {
  vi.useRealTimers();
});

async function openOrbit(path = "/m/aurora-1/orbit", prepare: Options["prepare"] = () => {}) {
  const opened = await openDashboard({ path, prepare });
  for (let round = 0; round < 3; round += 1) {
    await vi.dynamicImportSettled();
    await advance(600);
  }
  return opened;
}

test("the spacecraft is where its elements put it, above the ground, on its way", async () => {
  await openOrbit();
  const [craft] = drawn?.crafts ?? [];
  expect(Math.hypot(...(craft?.place ?? [0, 0, 0]))).toBeCloseTo(6971 / 6378.137, 1);
  expect(drawn?.ways[0]?.length).toBeGreaterThan(100);
  expect(screen.getByText(/km high, in (sunlight|shadow)/)).toBeTruthy();
});

test("what is drawn stays the same objects until another second, so that nothing is built anew at each frame", async () => {
  await openOrbit();
  await advance(1_260 - (Date.now() % 1_000));
  const before = drawn;
  await advance(500);
  expect(drawn).not.toBe(before);
  for (const part of ["ways", "crafts", "stations", "sun"] as const)
    expect(drawn?.[part]).toBe(before?.[part]);
  await advance(1_000);
  expect(drawn?.crafts).not.toBe(before?.crafts);
  expect(drawn?.ways).toBe(before?.ways);
});

test("without a quaternion in the dictionary no attitude is drawn, and it is said", async () => {
  await openOrbit();
  expect(drawn?.crafts[0]?.axes).toBeNull();
  expect(screen.getByText(/look like an attitude quaternion/)).toBeTruthy();
});

test("descriptions that did not come are no statement about the attitude", async () => {
  await openOrbit(undefined, (world) => Object.assign(world, { refusing: /\/parameters$/ }));
  expect(screen.getByText("The attitude is not known. The question took too long.")).toBeTruthy();
});

test("a replayed moment shows where it was then", async () => {
  const { world } = await openOrbit("/m/aurora-1/orbit?t=2026-11-21T10:00:00Z~2026-11-21T11:00:00Z");
  expect(screen.getByText(/computed for 2026-11-21 11:00:00Z/)).toBeTruthy();
  expect(world.requests.some((request) => request.includes("/track?from=2026-11-21T10%3A10"))).toBe(true);
});

test("a browser without WebGL gets the map and is told why", async () => {
  fails = true;
  await openOrbit();
  expect(screen.getByText(/has no WebGL/)).toBeTruthy();
  expect(screen.getByRole("button", { name: "Globe" }).getAttribute("aria-disabled")).toBe("true");
  expect(screen.getByRole("region", { name: "Ground track" })).toBeTruthy();
});

test("the map is chosen by button and kept in the address", async () => {
  const { router } = await openOrbit();
  const user = userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });
  await user.click(screen.getByRole("button", { name: "Map" }));
  await advance(600);
  expect(router.state.location.search).toEqual({ view: "map" });
});
