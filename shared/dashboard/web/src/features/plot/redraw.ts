// Decides whether a chart would look otherwise than it does. Pure.
import type { TimeWindow } from "../../time/mode";
import type { ChartLine, FitAxis } from "./lines";
import type { Gap } from "./silences";

/** All that a drawing depends on, beside its size and the style sheet. */
export interface Drawn {
  lines: readonly ChartLine[];
  window: TimeWindow;
  gaps: readonly Gap[];
  /** Since when nothing can have arrived, because the connection is frozen. */
  frozenSince: number | null;
  fit: FitAxis;
}

/** Twenty charts that follow the present are drawn again only for other data, or when time moved by a pixel. */
export function looksTheSame(before: Drawn, after: Drawn, pixels: number): boolean {
  return (
    samePlace(before.window, after.window, pixels) &&
    before.frozenSince === after.frozenSince &&
    before.fit === after.fit &&
    before.gaps === after.gaps &&
    before.lines.length === after.lines.length &&
    after.lines.every((line, index) => isSameLine(line, before.lines[index]))
  );
}

function samePlace(before: TimeWindow, after: TimeWindow, pixels: number): boolean {
  const length = after.to - after.from;
  const perPixel = length / Math.max(1, pixels);
  return (
    before.to - before.from === length &&
    Math.floor(before.from / perPixel) === Math.floor(after.from / perPixel)
  );
}

function isSameLine(a: ChartLine, b: ChartLine | undefined): boolean {
  return a.series === b?.series && a.gapMs === b.gapMs && a.limits === b.limits;
}
