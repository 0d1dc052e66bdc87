import { expect, test } from "vitest";
import type { PacketSummary } from "../../types";
import { bytesOf, dump, receivedUntil, verdict } from "./packet";

test("bytes stand in rows of sixteen, and what is no printable character is a dot", () => {
  const rows = dump(`${"41".repeat(16)}0a7f20ff`);
  expect(rows).toHaveLength(2);
  expect(rows[0]).toEqual({ offset: 0, hex: Array(16).fill("41"), ascii: Array(16).fill("A") });
  expect(rows[1]).toEqual({ offset: 16, hex: ["0a", "7f", "20", "ff"], ascii: [".", ".", " ", "."] });
  expect(dump("")).toEqual([]);
});

test.each([
  [0, 8, [0, 1]],
  [4, 8, [0, 2]],
  [48, 16, [6, 8]],
  [7, 1, [0, 1]],
  [15, 0, [1, 2]],
] as const)("a value at bit %i of %i bits stands in bytes %j", (first_bit, bits, expected) => {
  expect(bytesOf({ first_bit, bits })).toEqual(expected);
});

test("a verdict is a word and a shape, the cause of a quarantine before all others", () => {
  const packet = (quarantine: string | null, verdicts: string[]) =>
    verdict({ quarantine, verdicts } as PacketSummary);
  expect(packet(null, [])).toEqual({ status: "normal", word: "good" });
  expect(packet(null, ["sequence-gap", "stale"])).toEqual({ status: "caution", word: "sequence gap, stale" });
  expect(packet("bad-length", ["bad-length"])).toEqual({
    status: "serious",
    word: "quarantined: bad length",
  });
});

test("a replay's packets are cut at a moment without looking at each", () => {
  const [start, many] = [Date.parse("2026-11-22T12:00:00Z"), 50_000];
  let looked = 0;
  const packets = Array.from({ length: many }, (_, second) => ({
    get reception_time() {
      looked += 1;
      return new Date(start + second * 1_000).toISOString();
    },
  })) as PacketSummary[];
  expect(receivedUntil(packets, start - 1)).toHaveLength(0);
  expect(receivedUntil(packets, start + 500_000)).toHaveLength(501);
  expect(receivedUntil(packets, start + many * 1_000)).toBe(packets);
  expect(looked).toBeLessThan(60);
});
