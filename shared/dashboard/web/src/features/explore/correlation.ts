// How two parameters go together: Pearson's coefficient of their pairs, and the line that fits best. Pure.

export interface Correlation {
  pairs: number;
  /** -1 to 1; `null` where it is not defined: fewer than three pairs, or one that never changed. */
  coefficient: number | null;
  /** Of the least-squares line, units of y for one of x; `null` where x never changed. */
  slope: number | null;
  /** y at x = 0. */
  intercept: number | null;
}

const PAIRS_MIN = 3;

export function correlate(pairs: readonly { x: number; y: number }[]): Correlation {
  const n = pairs.length;
  const none = { pairs: n, coefficient: null, slope: null, intercept: null };
  if (n < PAIRS_MIN) return none;
  const [meanX, meanY] = [mean(pairs.map(({ x }) => x)), mean(pairs.map(({ y }) => y))];
  let [xx, yy, xy] = [0, 0, 0];
  for (const { x, y } of pairs) {
    const [dx, dy] = [x - meanX, y - meanY];
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  if (!(xx > 0) || !Number.isFinite(xx) || !Number.isFinite(yy)) return none;
  const slope = xy / xx;
  const coefficient = yy > 0 ? Math.max(-1, Math.min(1, xy / Math.sqrt(xx) / Math.sqrt(yy))) : null;
  return { pairs: n, coefficient, slope, intercept: meanY - slope * meanX };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value / values.length, 0);
}

export function coefficientText(coefficient: number | null): string {
  return coefficient === null ? "not defined" : coefficient.toFixed(3);
}

/** In words, because a number alone is read too quickly. */
export function strength(coefficient: number | null): string {
  if (coefficient === null) return "one of them did not change, or there are too few pairs";
  const size = Math.abs(coefficient);
  if (size < 0.2) return "no linear relation";
  const how = size < 0.5 ? "weak" : size < 0.8 ? "moderate" : "strong";
  return `${how}, ${coefficient > 0 ? "rising together" : "one falls as the other rises"}`;
}
