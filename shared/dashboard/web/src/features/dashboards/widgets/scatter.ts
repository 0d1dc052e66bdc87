// Pairs of two parameters' values and the axes they lie on. Pure.
import type { Aligned } from "../../../types";
import { isOnAxis } from "../../plot/lines";

export interface Pair {
  time: number;
  x: number;
  y: number;
}

/** Cells in which both have a number; what lies beyond any axis is counted and not drawn. */
export function pairsOf(answer: Aligned, until: number): { pairs: Pair[]; beyond: number } {
  const [first, second] = answer.columns;
  const pairs: Pair[] = [];
  let beyond = 0;
  for (const [index, time] of answer.times.entries()) {
    const [x, y] = [first?.mean[index] ?? null, second?.mean[index] ?? null];
    if (x === null || y === null || time > until) continue;
    if (isOnAxis(x) && isOnAxis(y)) pairs.push({ time, x, y });
    else beyond += 1;
  }
  return { pairs, beyond };
}

export function extent(values: readonly number[]): [low: number, high: number] {
  if (values.length === 0) return [0, 1];
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const margin = high > low ? (high - low) * 0.06 : Math.max(Math.abs(high) * 0.01, 0.5);
  return [low - margin, high + margin];
}

/** Round values of an axis: about `count` of them, one, two or five apart in some power of ten. */
export function ticks([low, high]: readonly [number, number], count: number): number[] {
  const power = 10 ** Math.floor(Math.log10((high - low) / count));
  const off = (step: number) => Math.abs((high - low) / step - count);
  const step = [1, 2, 5, 10].map((digit) => digit * power).reduce((a, b) => (off(b) < off(a) ? b : a));
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step);
}
