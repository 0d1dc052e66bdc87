import { expect, test } from "vitest";
import { secondTime } from "./clocks";

const AT = Date.parse("2026-11-22T17:31:02Z");

test("the second clock is another way to write the same moment", () => {
  expect(secondTime("none", AT)).toBeNull();
  expect(secondTime("day", AT)).toBe("2026-326T17:31:02Z");
  expect(secondTime("local", AT)).toMatch(/^\d\d:\d\d:\d\d UTC[+-]\d\d:\d\d$/);
});

test("GPS time counts weeks and seconds since 1980, ahead of UTC by the leap seconds", () => {
  // 1980-01-06T00:00:00 GPS + 2,446 weeks begins at 2026-11-21T23:59:42Z.
  expect(secondTime("gps", Date.parse("2026-11-21T23:59:42Z"))).toBe("GPS 2446 000000");
  expect(secondTime("gps", AT)).toBe("GPS 2446 063080");
});
