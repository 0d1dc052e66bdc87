// What many measurements say together.

/** The value that a share of them does not exceed. */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** By how much `y` grows with each 1 of `x`: the line through the points that is nearest to all of them. */
export function slope(points) {
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const spread = mean((point) => (point.x - x) ** 2);
  return spread === 0 ? Number.NaN : mean((point) => (point.x - x) * (point.y - y)) / spread;
}

/** How soon inputs were taken up, and how soon the next picture was there: median, 95 % and the longest. */
export function tellInputs(tell, name, inputs, context) {
  const counted = {};
  for (const { kind } of inputs) counted[kind] = (counted[kind] ?? 0) + 1;
  for (const [what, of] of [
    ["input_delay", ({ delay }) => delay],
    ["input_to_frame", ({ shown }) => shown],
  ]) {
    const values = inputs.map(of);
    for (const [metric, share] of [
      ["p50", 0.5],
      ["p95", 0.95],
      ["max", 1],
    ])
      tell(`${name}_${what}_${metric}`, quantile(values, share), "ms", { ...context, inputs: counted });
  }
}
