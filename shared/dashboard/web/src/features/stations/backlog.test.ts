import { expect, test } from "vitest";
import type { Backlog, Pass } from "../../types";
import { drainView, fullView } from "./backlog";
import { phaseOf } from "./phase";
import { certificate } from "./station";

test.each([
  [24, "normal", "24 d left"],
  [14, "caution", "14 d left"],
  [7, "serious", "7 d left"],
  [1, "critical", "1 d left"],
  [-2, "critical", "ended 2 d ago"],
  [null, "off", "none"],
] as const)("a certificate with %s days is %s", (days, status, text) => {
  expect(certificate(days)).toEqual({ status, text });
});

const waits: Backlog = { batches: 1, packets: 42, bytes: 13_300, oldest: null };

test.each([
  [{ kind: "after", seconds: 200 }, "normal", "in 3 min"],
  [{ kind: "after", seconds: 42.7 }, "normal", "in 42 s"],
  [{ kind: "disconnected" }, "serious", "not now"],
  [{ kind: "never" }, "serious", "never at this rate"],
  [{ kind: "paused" }, "caution", "not now: paused"],
  [{ kind: "unknown" }, "off", "not known yet"],
  [undefined, "off", "not known yet"],
] as const)("a backlog that drains %j is %s", (drain, status, text) => {
  expect(drainView(drain ? { ...waits, drain } : waits)).toMatchObject({ status, text });
});

test("of an older node with nothing waiting nothing is feared", () => {
  expect(drainView({ ...waits, batches: 0 }).text).toBe("nothing waits");
  expect(fullView(waits)).toBeNull();
});

test.each([
  [{ full_in_s: 1_800, room_bytes: 9 }, "critical", "in 30 min"],
  [{ full_in_s: 18_000, room_bytes: 9 }, "serious", "in 5 h 00 min"],
  [{ full_in_s: 172_800, room_bytes: 9 }, "caution", "in 2 d 0 h"],
  [{ full_in_s: null, room_bytes: 0 }, "critical", "now"],
] as const)("a journal with %j is %s", (changes, status, text) => {
  expect(fullView({ ...waits, ...changes })).toMatchObject({ status, text });
});

const NOW = Date.parse("2026-11-22T12:00:00Z");
const moment = (at: string) => ({ at, azimuth_deg: 0, elevation_deg: 5 });
const PASS: Pass = {
  id: "svalbard-1-7",
  spacecraft: "aurora-1",
  station: "svalbard-1",
  site: "Svalbard",
  culmination: moment("2026-11-22T12:00:00Z"),
  elevation_max_deg: 47,
  mask_deg: 5,
  phase: "under-way",
  elements_epoch: "2026-11-20T12:00:00Z",
  elements_age_s: 172_800,
};

test.each([
  ["2026-11-22T12:10:00Z", "2026-11-22T12:20:00Z", "standby", "in 10 min"],
  ["2026-11-22T11:55:00Z", "2026-11-22T12:05:00Z", "normal", "under way, 5 min left"],
  ["2026-11-22T11:00:00Z", "2026-11-22T11:30:00Z", "off", "30 min ago"],
  [null, null, "normal", "under way"],
] as const)("a pass from %s to %s is %s: %s", (aos, los, status, text) => {
  const pass: Pass = { ...PASS, aos: aos && moment(aos), los: los && moment(los) };
  expect(phaseOf(pass, NOW)).toEqual({ status, text });
});
