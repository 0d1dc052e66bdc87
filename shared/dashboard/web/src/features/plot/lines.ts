// The lines of one chart: how each looks, where it is broken, and on which scale it is drawn.

import type { PlotLine } from "../../telemetry/history";
import type { ParameterDescription } from "../../types";
import type { LimitSet } from "./zones";

export interface ChartLine extends PlotLine {
  /** `null` where there are none, or none are known. */
  limits: LimitSet | null;
}

/** More lines than this cannot be told from each other. */
export const LINES_MAX = 12;
const COLOURS = 6;

/** Dashes in CSS pixels. Colour and dash together name a line, so that a grey print still reads. */
const DASHES: readonly (readonly number[])[] = [
  [],
  [8, 4],
  [2, 3],
  [10, 3, 2, 3],
  [5, 5],
  [14, 4],
  [3, 6],
  [16, 3, 4, 3],
  [2, 6],
  [10, 6, 10, 2],
  [6, 2],
  [1, 4],
];

export interface LineLook {
  /** Name of the colour in the style sheet. */
  colour: string;
  dash: readonly number[];
}

export function lookOf(index: number): LineLook {
  return { colour: `--series-${(index % COLOURS) + 1}`, dash: DASHES[index % DASHES.length] ?? [] };
}

export function isStepped({ kind }: Pick<ParameterDescription, "kind">): boolean {
  return kind === "boolean" || kind === "enumeration";
}

/** Text, bytes and moments have no curve. */
export function isDrawable({ kind }: Pick<ParameterDescription, "kind">): boolean {
  return kind !== "string" && kind !== "binary" && kind !== "time";
}

/** Values of one unit share a scale; states have one of their own for each parameter. */
export function scaleOf(parameter: ParameterDescription): string {
  if (isStepped(parameter)) return `states of ${parameter.name}`;
  return `unit ${parameter.unit ?? ""}`;
}

/** The scales of a chart in the order of their lines. The first has its axis on the left, the second on the right. */
export function scalesOf(lines: readonly ChartLine[]): string[] {
  return [...new Set(lines.map((line) => scaleOf(line.parameter)))];
}

/** Whose limits are drawn as bands: those of several parameters over each other could not be read. */
export function limitedLine(lines: readonly ChartLine[]): ChartLine | undefined {
  const [scale] = scalesOf(lines);
  return lines.find((line) => (line.limits?.zones.length ?? 0) > 0 && scaleOf(line.parameter) === scale);
}

/** A size no measured quantity has. What is larger is drawn at the chart's edge and does not stretch its axis. */
export const BEYOND = 1e30;

export function isOnAxis(value: number | null | undefined): value is number {
  return typeof value === "number" && Math.abs(value) <= BEYOND;
}

export type FitAxis = "limits" | "values";

/** What a scale shows: the values of its lines, and their limits when these are asked for or not far off. */
export function axisRange(lines: readonly ChartLine[], fit: FitAxis): [low: number, high: number] {
  const [first] = lines;
  if (first !== undefined && isStepped(first.parameter)) return statesRange(first);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { series } of lines)
    for (let index = 0; index < series.times.length; index += 1) {
      const [min, max] = [series.min[index], series.max[index]];
      if (isOnAxis(min) && min < low) low = min;
      if (isOnAxis(max) && max > high) high = max;
    }
  if (low > high) return [0, 1];
  const margin = high > low ? (high - low) * 0.08 : Math.max(Math.abs(high) * 0.01, 0.5);
  const near = (high - low + 2 * margin) * 0.5;
  for (const edge of lines.flatMap((line) => edgesOf(line.limits)))
    if (fit === "limits" || (edge > low - near && edge < high + near)) {
      low = Math.min(low, edge);
      high = Math.max(high, edge);
    }
  return [low - margin, high + margin];
}

function edgesOf(limits: LimitSet | null): number[] {
  return (limits?.zones ?? []).flatMap(({ from, to }) => [from, to]).filter(isOnAxis);
}

function statesRange({ parameter, series }: ChartLine): [number, number] {
  if (parameter.kind === "boolean") return [-0.25, 1.25];
  const values = [...parameter.labels.map((label) => label.value), ...series.min, ...series.max].filter(
    isOnAxis,
  );
  if (values.length === 0) return [-0.5, 0.5];
  return [values.reduce((a, b) => Math.min(a, b)) - 0.5, values.reduce((a, b) => Math.max(a, b)) + 0.5];
}
