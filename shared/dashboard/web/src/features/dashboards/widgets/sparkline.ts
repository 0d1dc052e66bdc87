// The path of a small curve without axes. Pure.
import type { PlotLine } from "../../../telemetry/history";
import { strokesOf } from "../../../telemetry/series";
import type { TimeWindow } from "../../../time/mode";
import { axisRange, isStepped } from "../../plot/lines";

/** SVG path data in a box of the given size; empty where there is nothing to draw. */
export function sparkline(line: PlotLine, { from, to }: TimeWindow, width: number, height: number): string {
  const { times, last } = line.series;
  const [low, high] = axisRange([{ ...line, limits: null }], "values");
  const x = (index: number) => round((((times[index] ?? 0) - from) / (to - from)) * width);
  const y = (index: number) => {
    const part = ((last[index] ?? 0) - low) / (high - low);
    return round(height - Math.min(1, Math.max(0, part)) * height);
  };
  let path = "";
  for (const [start, end] of strokesOf(line.series, line.gapMs)) {
    path += `M${x(start)} ${y(start)}`;
    // A lone value is a dot: a line of no length with round ends.
    if (end - start === 1) path += "h0";
    for (let index = start + 1; index < end; index += 1)
      path += isStepped(line.parameter) ? `H${x(index)}V${y(index)}` : `L${x(index)} ${y(index)}`;
  }
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
