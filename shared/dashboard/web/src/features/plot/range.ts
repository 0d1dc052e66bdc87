// How much time a plot shows, as written in its address.

export const RANGES = ["5m", "15m", "1h", "6h", "24h"] as const;
export type Range = (typeof RANGES)[number];

export const RANGE_MS: Record<Range, number> = {
  "5m": 5 * 60_000,
  "15m": 15 * 60_000,
  "1h": 3_600_000,
  "6h": 6 * 3_600_000,
  "24h": 24 * 3_600_000,
};

export function isRange(text: unknown): text is Range {
  return RANGES.some((range) => range === text);
}

export interface TimeWindow {
  from: number;
  to: number;
}

/** A live window ends now, or at the newest sample when the spacecraft's clock runs a little ahead. */
export function timeWindow(
  range: Range,
  end: number | null,
  serverNow: number,
  newest: number | null,
): TimeWindow {
  const length = RANGE_MS[range];
  const ahead = newest !== null && newest > serverNow && newest - serverNow < length ? newest : serverNow;
  const to = end ?? ahead;
  return { from: to - length, to };
}
