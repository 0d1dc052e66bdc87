// The stretches of time in which a parameter stood in one state. Pure.
import { type Series, strokesOf } from "../../../telemetry/series";

export interface Run {
  /** Unix milliseconds. */
  from: number;
  to: number;
  /** `null` where samples of several states lie in one pixel. */
  state: number | null;
}

/** A state lasts until the next sample says another, and ends where nothing was received. */
export function runsOf(series: Series, gapMs: number, until: number): Run[] {
  const { times, min, max, last, bucketMs } = series;
  const runs: Run[] = [];
  for (const [start, end] of strokesOf(series, gapMs)) {
    let open: Run | null = null;
    for (let index = start; index < end; index += 1) {
      const from = times[index] ?? 0;
      const state = min[index] === max[index] ? (last[index] ?? null) : null;
      if (open !== null && open.state === state) {
        open.to = from + bucketMs;
        continue;
      }
      if (open !== null) open.to = from;
      open = { from, to: from + bucketMs, state };
      runs.push(open);
    }
    // The newest state stands for as long as its next sample is not overdue.
    const isNewest = end === times.length;
    if (open !== null && isNewest)
      open.to = Math.max(
        open.to,
        Math.min(until, (times[end - 1] ?? 0) + (Number.isFinite(gapMs) ? gapMs : 0)),
      );
  }
  return runs;
}
