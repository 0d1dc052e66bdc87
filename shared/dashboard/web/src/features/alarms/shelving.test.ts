import { expect, test } from "vitest";
import type { Pass } from "../../types";
import { passEnd, shelvedUntil, shelvingRefusal, untilText } from "./shelving";

const MINUTE = 60_000;
const NOW = Date.parse("2026-11-22T12:00:00Z");

function pass(rest: Partial<Pass>, aos: number | null, los: number | null): Pass {
  const moment = (minutes: number) => ({
    at: new Date(NOW + minutes * MINUTE).toISOString(),
    azimuth_deg: 10,
    elevation_deg: 5,
  });
  return {
    id: "1",
    spacecraft: "aurora-1",
    station: "svalbard-1",
    site: "Svalbard",
    aos: aos === null ? null : moment(aos),
    culmination: moment(0),
    los: los === null ? null : moment(los),
    elevation_max_deg: 40,
    mask_deg: 5,
    phase: "past",
    elements_epoch: "2026-11-22T00:00:00Z",
    elements_age_s: 0,
    ...rest,
  };
}

test("it is silent until the pass that is under way is over, or else the next one", () => {
  const [now, next] = [pass({}, -5, 6), pass({ site: "Troll" }, 90, 99)];
  const end = passEnd([next, now], NOW);
  expect(shelvedUntil("pass", end, NOW)).toBe(NOW + 6 * MINUTE);
  expect(untilText("pass", end, NOW)).toBe("until 12:06:00Z, when the pass of aurora-1 over Svalbard ends");
  const later = passEnd([next, now], NOW + 6 * MINUTE);
  expect(untilText("pass", later, NOW)).toBe(
    "until 13:39:00Z, when the next pass of aurora-1 over Troll ends",
  );
  expect(untilText(15, end, NOW)).toBe("until 12:15:00Z");
});

test("for more than an hour it needs a note, also until a pass is over", () => {
  const soon = passEnd([pass({}, -5, 60)], NOW);
  expect(shelvingRefusal("pass", soon, NOW, "")).toBeNull();
  const late = passEnd([pass({}, 55, 61)], NOW);
  expect(shelvingRefusal("pass", late, NOW, " ")).toBe("For more than an hour say why in the note.");
  expect(shelvingRefusal("pass", late, NOW, "heater test")).toBeNull();
  expect(shelvingRefusal(60, late, NOW, "")).toBeNull();
  expect(shelvingRefusal(120, late, NOW, "")).not.toBeNull();
});

test("without a pass, with one that has no end, and with one that ends too late, it is refused", () => {
  const refusal = (passes: Pass[]) => shelvingRefusal("pass", passEnd(passes, NOW), NOW, "why");
  expect(refusal([])).toBe("No pass is known within the next 24 h.");
  expect(refusal([pass({}, -20, -10)])).toBe("No pass is known within the next 24 h.");
  expect(refusal([pass({}, -5, null)])).toBe("The pass of aurora-1 over Svalbard has no end.");
  expect(refusal([pass({}, 475, 481)])).toBe(
    "The next pass of aurora-1 over Svalbard ends at 2026-11-22 20:01:00Z; an alarm is shelved for 8 h at most.",
  );
  expect(shelvedUntil("pass", passEnd([], NOW), NOW)).toBeNull();
});
