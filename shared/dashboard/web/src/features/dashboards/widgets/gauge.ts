// The geometry of a gauge: a half circle from left to right. Pure.
import { isOnAxis } from "../../plot/lines";
import type { LimitSet } from "../../plot/zones";

export const RADIUS = 80;
export const CENTRE = { x: 100, y: 92 };

/** The scale: as it was configured, else around the limits, else around the value. */
export function gaugeScale(
  low: number | null,
  high: number | null,
  limits: LimitSet | null,
  value: number | null,
): [low: number, high: number] {
  const edges = (limits?.zones ?? []).flatMap(({ from, to }) => [from, to]).filter(isOnAxis);
  const known = edges.length > 0 ? edges : isOnAxis(value) ? [0, value] : [0, 1];
  const [smallest, largest] = [Math.min(...known), Math.max(...known)];
  const margin = largest > smallest ? (largest - smallest) * 0.2 : Math.max(1, Math.abs(largest) * 0.2);
  const from = low ?? smallest - (edges.length > 0 ? margin : 0);
  const to = high ?? largest + margin;
  return to > from ? [from, to] : [from, from + 1];
}

/** Where on the scale a value is, 0 to 1; what lies beyond stands at the end. */
export function partOf(value: number, [low, high]: readonly [number, number]): number {
  if (value === Number.POSITIVE_INFINITY) return 1;
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}

export function pointAt(part: number, radius: number): { x: number; y: number } {
  const angle = Math.PI * (1 - part);
  return { x: round(CENTRE.x + radius * Math.cos(angle)), y: round(CENTRE.y - radius * Math.sin(angle)) };
}

/** SVG path data of the arc between two parts of the scale. */
export function arc(from: number, to: number, radius: number): string {
  const [a, b] = [pointAt(from, radius), pointAt(to, radius)];
  return `M${a.x} ${a.y}A${radius} ${radius} 0 0 1 ${b.x} ${b.y}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
