import { fireEvent, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { advance, openDashboard } from "../test/app";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });
const bar = () => within(screen.getByRole("region", { name: "Time" }));
const press = (name: string) => user().click(bar().getByRole("button", { name }));
const fields = () => [bar().getByLabelText("From"), bar().getByLabelText("to")] as HTMLInputElement[];
const PAGE = "/m/aurora-1/parameters";
const RANGE = "2026-11-22T10:00:00Z~2026-11-22T11:00:00Z";

async function open(t?: string) {
  const opened = await openDashboard({
    path: t === undefined ? PAGE : `${PAGE}?t=${encodeURIComponent(t)}`,
  });
  return { ...opened, t: () => (opened.router.state.location.search as { t?: string }).t };
}

async function write(field: HTMLInputElement | undefined, text: string) {
  if (field === undefined) throw new Error("the range has two ends");
  await user().clear(field);
  await user().type(field, text);
}

test("live follows the present, over the span that is chosen", async () => {
  const { t } = await open();
  expect(bar().getByText("2026-11-22 12:16:06Z – 12:31:06Z")).toBeTruthy();
  await advance(10_000);
  expect(bar().getByText("2026-11-22 12:16:16Z – 12:31:16Z")).toBeTruthy();
  await press("−24 h");
  expect(bar().getByText("2026-11-21 12:31:16Z – 2026-11-22 12:31:16Z")).toBeTruthy();
  expect(t()).toBe("-24h");
});

test("live has no later, and says so", async () => {
  const { t } = await open();
  const later = bar().getByRole("button", { name: "Later →" });
  expect(later.title).toBe("It already follows the present");
  await user().click(later);
  expect(t()).toBeUndefined();
});

test("a fixed range is moved by its half and halved, and both ends are written", async () => {
  await open(RANGE);
  const shown = () => fields().map(({ value }) => value);
  expect(shown()).toEqual(["2026-11-22 10:00:00Z", "2026-11-22 11:00:00Z"]);
  await press("← Earlier");
  expect(shown()).toEqual(["2026-11-22 09:30:00Z", "2026-11-22 10:30:00Z"]);
  await press("Later →");
  await press("Shorter range");
  expect(shown()).toEqual(["2026-11-22 10:15:00Z", "2026-11-22 10:45:00Z"]);
  await press("LIVE");
  expect(bar().queryByLabelText("From")).toBeNull();
});

test("a range is written by hand, without seconds and letters where they say nothing", async () => {
  const { t } = await open(RANGE);
  expect(bar().queryByRole("button", { name: "Show" })).toBeNull();
  await write(fields()[0], "2026-11-22 09:15");
  await press("Show");
  expect(t()).toBe("2026-11-22T09:15:00Z~2026-11-22T11:00:00Z");
  expect(bar().queryByRole("button", { name: "Show" })).toBeNull();
});

test.each(["2026-11-22 12:00", "yesterday"])("ends that are no range are not taken: %s", async (from) => {
  const { t } = await open(RANGE);
  await write(fields()[0], from);
  expect(bar().getByText(/^Two moments of UTC, the earlier one first/)).toBeTruthy();
  expect(fields()[0]?.getAttribute("aria-invalid")).toBe("true");
  const show = bar().getByRole("button", { name: "Show" });
  expect(show.getAttribute("aria-disabled")).toBe("true");
  await user().click(show);
  expect(t()).toBe(RANGE);
});

test("a replay plays, pauses, jumps, and begins again when it is over", async () => {
  await open(RANGE);
  await press("REPLAY");
  const at = () => bar().getByRole("slider", { name: "Moment of the replay" }).getAttribute("aria-valuetext");
  await advance(5_000);
  expect(at()).toMatch(/^2026-11-22 10:00:0[4-6]Z$/);
  await press("×20");
  await press("Pause");
  const paused = at();
  await advance(5_000);
  expect(at()).toBe(paused);
  const slider = bar().getByRole("slider", { name: "Moment of the replay" });
  fireEvent.change(slider, { target: { value: String(Date.parse("2026-11-22T10:59:30Z")) } });
  await advance(100);
  expect(at()).toBe("2026-11-22 10:59:30Z");
  await press("Play");
  await advance(5_000);
  expect(at()).toBe("2026-11-22 11:00:00Z");
  await press("To the beginning");
  expect(at()).toBe("2026-11-22 10:00:00Z");
});
