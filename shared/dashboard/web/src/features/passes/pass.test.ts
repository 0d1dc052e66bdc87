import { expect, test } from "vitest";
import { duration } from "../../format/time";
import type { Pass } from "../../types";
import { askedSpan, conflicts, countdown, lanes, nextPass, onSky, phaseAt, placeIn } from "./pass";

const HOUR = 3_600_000;
const T0 = Date.parse("2026-11-22T12:00:00Z");

function pass(id: string, from: number | null, to: number | null, rest: Partial<Pass> = {}): Pass {
  const moment = (ms: number) => ({ at: new Date(ms).toISOString(), azimuth_deg: 10, elevation_deg: 5 });
  return {
    id,
    spacecraft: "aurora-1",
    station: "svalbard-1",
    site: "Svalbard",
    aos: from === null ? null : moment(from),
    culmination: moment(T0),
    los: to === null ? null : moment(to),
    elevation_max_deg: 40,
    mask_deg: 5,
    phase: "past",
    elements_epoch: "2026-11-22T00:00:00Z",
    elements_age_s: 0,
    ...rest,
  };
}

test("a pass is to come, under way and past by the moment that is shown", () => {
  const one = pass("1", T0, T0 + HOUR);
  expect(phaseAt(one, T0 - 1)).toBe("to-come");
  expect(phaseAt(one, T0)).toBe("under-way");
  expect(phaseAt(one, T0 + HOUR)).toBe("past");
  expect(phaseAt(pass("geo", null, null), T0)).toBe("under-way");
});

test("the countdown goes to acquisition and then to loss of signal", () => {
  const one = pass("1", T0, T0 + HOUR);
  expect(countdown(one, T0 - 90_000, duration)).toBe("AOS in 90 s");
  expect(countdown(one, T0 + HOUR - 3_000, duration)).toBe("LOS in 3.0 s");
  expect(countdown(one, T0 + HOUR, duration)).toBeNull();
  expect(countdown(pass("geo", null, null), T0, duration)).toBe("in view without an end");
});

test("the next pass is the one under way, else the first to come", () => {
  const [early, late] = [pass("early", T0, T0 + HOUR), pass("late", T0 + 2 * HOUR, T0 + 3 * HOUR)];
  expect(nextPass([late, early], T0 - 1)?.id).toBe("early");
  expect(nextPass([late, early], T0 + HOUR + 1)?.id).toBe("late");
  expect(nextPass([late, early], T0 + 4 * HOUR)).toBeNull();
});

test("bars lie in their window, cut at its edges", () => {
  const window = { from: T0, to: T0 + 10 * HOUR };
  expect(placeIn(pass("1", T0 + HOUR, T0 + 2 * HOUR), window)).toEqual({ left: 10, width: 10 });
  expect(placeIn(pass("2", T0 - HOUR, T0 + HOUR), window)).toEqual({ left: 0, width: 10 });
  expect(placeIn(pass("geo", null, null), window)).toEqual({ left: 0, width: 100 });
  expect(placeIn(pass("3", T0 + 11 * HOUR, T0 + 12 * HOUR), window).width).toBe(0);
});

test("a station that would have to follow two spacecraft at once is in conflict", () => {
  const other = { spacecraft: "kestrel" };
  const passes = [
    pass("a", T0, T0 + HOUR),
    pass("b", T0 + HOUR / 2, T0 + 2 * HOUR, other),
    pass("c", T0 + 2 * HOUR, T0 + 3 * HOUR),
    pass("d", T0, T0 + HOUR, { station: "troll", ...other }),
  ];
  expect([...conflicts(passes)].toSorted()).toEqual(["a", "b"]);
});

test("lanes are stations or spacecraft", () => {
  const passes = [pass("a", T0, T0 + HOUR), pass("b", T0, T0 + HOUR, { spacecraft: "kestrel" })];
  expect(lanes(passes, "station").map(({ name }) => name)).toEqual(["Svalbard · svalbard-1"]);
  expect(lanes(passes, "spacecraft").map(({ name }) => name)).toEqual(["aurora-1", "kestrel"]);
});

test("the sky has north up, east right and the zenith in the middle", () => {
  expect(onSky(0, 0).y).toBeCloseTo(-1);
  expect(onSky(90, 0).x).toBeCloseTo(1);
  expect(onSky(123, 90).x).toBeCloseTo(0);
});

test("live passes are asked for in steps, so that the question stays the same for ten minutes", () => {
  const live = { kind: "live", span: "15m" } as const;
  expect(askedSpan(live, T0 + 1)).toEqual(askedSpan(live, T0 + 599_999));
  expect(askedSpan({ kind: "fixed", from: T0, to: T0 + HOUR }, T0)).toEqual({ from: T0, to: T0 + HOUR });
});
