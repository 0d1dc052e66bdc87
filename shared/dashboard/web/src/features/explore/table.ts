// Several series as rows of one table: a row a moment at which any of them has a point. Pure.
import type { PlotLine } from "../../telemetry/history";

export interface MomentRow {
  /** Unix milliseconds. */
  time: number;
  /** For each line the index of its point, or -1. */
  points: number[];
}

/** Newest first. */
export function rowsOf(lines: readonly Pick<PlotLine, "series">[]): MomentRow[] {
  const at = lines.map(({ series }) => series.times.length - 1);
  const rows: MomentRow[] = [];
  for (;;) {
    let time = Number.NEGATIVE_INFINITY;
    for (const [line, index] of at.entries()) time = Math.max(time, lines[line]?.series.times[index] ?? time);
    if (time === Number.NEGATIVE_INFINITY) return rows;
    const points = at.map((index, line) => (lines[line]?.series.times[index] === time ? index : -1));
    for (const [line, point] of points.entries()) if (point >= 0) at[line] = point - 1;
    rows.push({ time, points });
  }
}
