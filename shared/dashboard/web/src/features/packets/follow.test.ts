import { expect, test } from "vitest";
import { parseTime } from "../../format/time";
import type { PacketSummary } from "../../types";
import { type Kept, readOn } from "./follow";

const START = Date.parse("2026-11-22T12:00:00Z");
const POLL_MS = 2_000;

/** Follows a steady stream of packets for a minute, as the page does. */
async function follow(perSecond: number): Promise<{ kept: Kept; worstAge: number; now: number }> {
  const timeOf = (index: number) => START + (index * 1_000) / perSecond;
  let kept: Kept | undefined;
  let worstAge = 0;
  let now = START + 3_600_000;
  for (const end = now + 60_000; now < end; now += POLL_MS) {
    const known = Math.floor(((now - START) / 1_000) * perSecond);
    kept = await readOn(kept, now, async (from, cursor) => {
      const first = cursor === null ? Math.ceil(((from - START) / 1_000) * perSecond) : Number(cursor);
      const last = Math.min(known, first + 1_000);
      const rows = Array.from({ length: Math.max(0, last - first) }, (_, place) => {
        const reception_time = new Date(timeOf(first + place)).toISOString();
        return { id: String(first + place), reception_time } as PacketSummary;
      });
      return { rows, next: last < known ? String(last) : null };
    });
    const newest = kept.packets[0];
    const age = newest === undefined ? now : now - parseTime(newest.reception_time);
    // The first question begins a minute ago, and a fast list is a minute behind after it.
    if (now > START + 3_600_000) worstAge = Math.max(worstAge, age);
  }
  if (kept === undefined) throw new Error("nothing was asked");
  return { kept, worstAge, now };
}

test.each([1_100, 2_000, 20_000])(
  "a list of %d packets a second is followed, and says what it passes over",
  async (perSecond) => {
    const { kept, worstAge } = await follow(perSecond);
    expect(worstAge).toBeLessThan(16_000);
    expect(kept.hasSkipped).toBe(true);
    expect(kept.packets).toHaveLength(5_000);
  },
);

test.each([10, 100])("a list of %d packets a second is followed whole", async (perSecond) => {
  const { kept, worstAge } = await follow(perSecond);
  expect(worstAge).toBeLessThan(16_000);
  expect(kept.hasSkipped).toBe(false);
  const ids = kept.packets.map(({ id }) => Number(id));
  expect(ids).toEqual(ids.map((_, place) => (ids[0] ?? 0) - place));
});
