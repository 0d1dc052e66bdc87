import { fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { advance, openDashboard, settle } from "../test/app";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const RANGE = "2026-11-22T12:00:00Z~2026-11-22T12:10:00Z";

test("dragging the replay to a moment is one step back, however far it was dragged", async () => {
  const { router } = await openDashboard({ path: `/nodes?t=${RANGE}~x1` });
  await settle();
  const before = router.history.length;
  for (let minute = 1; minute <= 5; minute += 1) {
    const value = Date.parse("2026-11-22T12:00:00Z") + minute * 60_000;
    fireEvent.change(screen.getByRole("slider", { name: "Moment of the replay" }), { target: { value } });
    await advance(100);
  }
  expect(router.state.location.search).toEqual({ t: `${RANGE}~x1~2026-11-22T12:05:00Z` });
  expect(router.history.length).toBe(before + 1);
  router.history.back();
  await advance(100);
  expect(router.state.location.search).toEqual({ t: `${RANGE}~x1` });
});

test("moving a range by keys and buttons is one step back, to what was chosen before", async () => {
  const { router } = await openDashboard({ path: `/nodes?t=${RANGE}` });
  await settle();
  for (const key of ["[", "[", "-"]) {
    fireEvent.keyDown(document.body, { key });
    await advance(100);
  }
  fireEvent.click(screen.getByRole("button", { name: "← Earlier" }));
  await advance(100);
  expect(router.state.location.search).not.toEqual({ t: RANGE });
  router.history.back();
  await advance(100);
  expect(router.state.location.search).toEqual({ t: RANGE });
});
