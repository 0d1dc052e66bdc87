import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { advance, openDashboard, START, settle } from "../../test/app";
import { conflicts } from "./pass";

vi.mock("./pass", async (original) => {
  const module = await original<typeof import("./pass")>();
  return { ...module, conflicts: vi.fn(module.conflicts) };
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });

async function openPasses(path = "/m/aurora-1/passes", role?: "operator" | "viewer") {
  const opened = await openDashboard({ path, ...(role ? { mock: { role } } : {}) });
  await settle();
  return opened;
}

test("passes are bars in lanes and the same list, with the next one counted down to", async () => {
  await openPasses();
  const bars = within(screen.getByRole("region", { name: /Passes as bars/ })).getAllByRole("button");
  const table = screen.getByRole("table", { name: "Passes" });
  expect(Number(table.getAttribute("aria-rowcount")) - 1).toBe(bars.length);
  // Only rows in sight are drawn.
  expect(within(table).getAllByRole("row").length - 1).toBeLessThan(bars.length);
  expect(screen.getByText(/(AOS|LOS) in \d+ (s|min)/, { selector: "strong" })).toBeTruthy();
  expect(screen.getByText(/nobody has said where its site is/)).toBeTruthy();
});

test("the list begins with what is to come, below what is over", async () => {
  await openPasses();
  const past = screen
    .getAllByRole("button")
    .filter(({ classList }) => classList.contains("pass") && classList.contains("past"));
  expect(past.length).toBeGreaterThan(3);
  expect(screen.getByRole("region", { name: "Passes" }).scrollTop).toBe(past.length * 30);
});

test("conflicts are worked out when passes come, not at each frame", async () => {
  await openPasses();
  const before = vi.mocked(conflicts).mock.calls.length;
  expect(before).toBeGreaterThan(0);
  await advance(5_000);
  expect(vi.mocked(conflicts).mock.calls.length).toBe(before);
});

test("a pass shows its way over the sky, and what came of it", async () => {
  const { router } = await openPasses();
  const [row] = within(screen.getByRole("table", { name: "Passes" })).getAllByRole("button");
  if (row === undefined) throw new Error("no pass is listed");
  await user().click(row);
  await advance(500);
  expect(router.state.location.search).toHaveProperty("pass");
  const chosen = within(screen.getByRole("region", { name: "Chosen pass" }));
  expect(chosen.getByRole("img", { name: /rises at azimuth 350°, culminates at 47°/ })).toBeTruthy();
  expect(chosen.getByText(/records, .* packed/)).toBeTruthy();
  expect(chosen.getByRole("link", { name: "Explore this pass" }).getAttribute("href")).toContain("t=");
});

test("a fixed range is that of its passes", async () => {
  const { world } = await openPasses("/m/aurora-1/passes?t=2026-11-22T00:00:00Z~2026-11-22T03:00:00Z");
  const asked = world.requests.find((request) => request.includes("/passes?"));
  expect(asked).toContain("from=2026-11-22T00%3A00%3A00.000Z&to=2026-11-22T03%3A00%3A00.000Z");
});

test("a range that is too long is not asked for, and says so", async () => {
  const { world } = await openPasses("/m/aurora-1/passes?t=2026-01-01T00:00:00Z~2026-11-22T00:00:00Z");
  expect(screen.getByText(/at most 31 days/)).toBeTruthy();
  expect(world.requests.some((request) => request.includes("/passes?"))).toBe(false);
});

test("old elements are marked, and newer ones take their place", async () => {
  await openPasses();
  expect(screen.getByText(/older than 7 days/)).toBeTruthy();
  await user().type(screen.getByLabelText(/Newer elements/), "1 nonsense");
  await user().click(screen.getByRole("button", { name: "Import" }));
  await advance(300);
  expect(screen.getByRole("alert").textContent).toContain("STO-ORBIT-ELEMENTS");
  await user().clear(screen.getByLabelText(/Newer elements/));
  await user().type(screen.getByLabelText(/Newer elements/), "1 a\n2 b");
  await user().click(screen.getByRole("button", { name: "Import" }));
  await advance(300);
  expect(screen.queryByText(/older than 7 days/)).toBeNull();
});

test("a viewer may not import elements, and is told why", async () => {
  await openPasses("/m/aurora-1/passes", "viewer");
  expect(screen.getByRole("button", { name: "Import" }).getAttribute("aria-disabled")).toBe("true");
  expect(screen.getByText(/Only operators may do this/)).toBeTruthy();
});

test("a mission that nobody hears says so", async () => {
  await openPasses("/m/kestrel/passes");
  expect(screen.getByText("No station hears a spacecraft of this mission in this time.")).toBeTruthy();
});

test("a pass under way shows where the spacecraft is, until it has set", async () => {
  const PERIOD_MS = 97 * 60_000;
  const passes = Math.floor(START / PERIOD_MS);
  await openDashboard({
    path: `/m/aurora-1/passes?pass=svalbard-1-${passes}`,
    start: passes * PERIOD_MS + 5 * 60_000,
  });
  await settle();
  const here = () => screen.getByRole("img", { name: /^Sky over Svalbard/ }).querySelector(".here");
  const at = () => [here()?.getAttribute("cx"), here()?.getAttribute("cy")].map(Number);
  // Half of its way: 47° high in azimuth 260°, which is left of the middle and a little below it.
  const [x = 0, y = 0] = at();
  expect(x).toBeCloseTo(-47, -0.5);
  expect(y).toBeCloseTo(8, -0.5);
  await advance(60_000);
  expect(at()).not.toEqual([x, y]);
  await advance(5 * 60_000);
  expect(here()).toBeNull();
});
