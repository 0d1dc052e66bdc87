import { expect, test } from "vitest";
import { readMode, shifted, type TimeMode, writeMode, zoomed } from "./mode";

const FROM = Date.parse("2026-11-22T12:00:00Z");
const TO = Date.parse("2026-11-22T13:00:00Z");

test.each([
  ["-15m", { kind: "live", span: "15m" }],
  ["2026-11-22T12:00:00Z~2026-11-22T13:00:00Z", { kind: "fixed", from: FROM, to: TO }],
  [
    "2026-11-22T12:00:00Z~2026-11-22T13:00:00Z~x20",
    { kind: "replay", from: FROM, to: TO, speed: 20, at: null },
  ],
  [
    "2026-11-22T12:00:00Z~2026-11-22T13:00:00Z~x1~2026-11-22T12:30:00.250Z",
    { kind: "replay", from: FROM, to: TO, speed: 1, at: FROM + 1_800_250 },
  ],
] as [string, TimeMode][])("%s is read, and written the same", (text, mode) => {
  expect(readMode(text)).toEqual(mode);
  expect(writeMode(mode)).toBe(text);
});

test.each([
  "",
  "15m",
  "-2w",
  "2026-11-22T13:00:00Z~2026-11-22T12:00:00Z",
  "2026-11-22T13:00:00Z",
  "1926-11-22T12:00:00Z~2026-11-22T13:00:00Z",
  "2026-11-22T12:00:00Z~2026-11-22T13:00:00Z~x7",
  "2026-11-22T12:00:00Z~2026-11-22T13:00:00Z~x5~2026-11-23T12:00:00Z",
  "a~b",
  undefined,
  15,
])("%s is no time", (text) => {
  expect(readMode(text)).toBeNull();
});

test("a range moves by parts of its length, and grows around its middle", () => {
  expect(shifted({ from: FROM, to: TO }, -0.5)).toEqual({
    kind: "fixed",
    from: FROM - 1_800_000,
    to: TO - 1_800_000,
  });
  expect(zoomed({ from: FROM, to: TO }, 2)).toEqual({
    kind: "fixed",
    from: FROM - 1_800_000,
    to: TO + 1_800_000,
  });
  expect(zoomed({ from: FROM, to: FROM + 500 }, 0.5).to - FROM).toBe(750);
});
