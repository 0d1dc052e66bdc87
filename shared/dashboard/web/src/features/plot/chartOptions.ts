// What uPlot is told: axes in UTC, a scale for each unit, and a cursor. It draws no line itself.
import uPlot from "uplot";
import { clockTime, dateAndTime } from "../../format/time";
import type { ParameterDescription } from "../../types";
import { pointText, valueLabels } from "./cursor";
import { type ChartLine, isStepped, scaleOf, scalesOf } from "./lines";
import { palette } from "./paint";

/** Room for half of the last label of the time axis. */
const RIGHT = 32;
/** Room for names at the ends of several lines. */
const NAMES = 132;
/** Steps of an axis that counts whole things. */
const WHOLE_STEPS = Array.from({ length: 16 }, (_, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
).flat();

export interface Hooks {
  rangeOf: (scale: string) => [low: number, high: number];
  onClear: (chart: uPlot) => void;
  onDraw: (chart: uPlot) => void;
  onCursor: (chart: uPlot) => void;
}

/** Lines of one look and kind keep the same chart: it is built anew only when this changes. */
export function shapeOf(lines: readonly ChartLine[]): string {
  return JSON.stringify(
    lines.map(({ parameter: { name, kind, unit, labels } }) => [name, kind, unit ?? "", labels]),
  );
}

export function namesRoom(lines: readonly ChartLine[], width: number): number {
  if (lines.length < 2 || width < 420) return RIGHT;
  return NAMES;
}

export function chartOptions(
  lines: readonly ChartLine[],
  width: number,
  height: number,
  hooks: Hooks,
): uPlot.Options {
  const scales = scalesOf(lines);
  const axis = {
    stroke: () => palette.colour("--muted"),
    font: "11px system-ui, sans-serif",
    grid: { stroke: () => palette.colour("--grid"), width: 1 },
    ticks: { stroke: () => palette.colour("--grid"), width: 1, size: 4 },
  };
  return {
    width,
    height,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    legend: { show: false },
    padding: [10, (chart) => namesRoom(lines, chart.width), 0, 0],
    cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { show: false } },
    scales: Object.fromEntries([
      ["x", { time: true }],
      ...scales.map((scale) => [scale, { range: () => hooks.rangeOf(scale) }] as const),
    ]),
    axes: [
      { ...axis, size: 30, space: 72, values: (_, splits) => timeLabels(splits) },
      ...scales.slice(0, 2).flatMap((scale, index) => {
        const parameter = lines.find((line) => scaleOf(line.parameter) === scale)?.parameter;
        if (parameter === undefined) return [];
        return [
          {
            ...axis,
            scale,
            side: index === 0 ? (3 as const) : (1 as const),
            ...(index === 0 ? {} : { grid: { show: false } }),
            ...(isStepped(parameter) ? stateAxis(parameter) : valueAxis(parameter)),
          },
        ];
      }),
    ],
    series: [{}, ...scales.map((scale) => ({ scale, paths: () => null, points: { show: false } }))],
    hooks: { drawClear: [hooks.onClear], draw: [hooks.onDraw], setCursor: [hooks.onCursor] },
  };
}

function stateAxis(parameter: ParameterDescription): Partial<uPlot.Axis> {
  const states = parameter.kind === "boolean" ? [0, 1] : parameter.labels.map((label) => label.value);
  const longest = Math.max(0, ...states.map((state) => pointText(state, parameter).length));
  return {
    size: Math.min(160, Math.max(56, 20 + 7 * longest)),
    splits: () => states,
    values: (_, splits) => splits.map((state) => pointText(state, parameter).slice(0, 20)),
  };
}

function valueAxis(parameter: ParameterDescription): Partial<uPlot.Axis> {
  const unit = parameter.unit ? ` ${parameter.unit.slice(0, 12)}` : "";
  return {
    size: 60 + 6 * unit.length,
    values: (_, splits) => valueLabels(splits).map((label) => label + unit),
    ...(parameter.kind === "integer" ? { incrs: WHOLE_STEPS } : {}),
  };
}

/** The date stands where the day begins; everywhere else the time is enough. */
function timeLabels(splits: number[]): string[] {
  const step = (splits[1] ?? 0) - (splits[0] ?? 0);
  return splits.map((seconds) => {
    if (seconds % 86_400 === 0) return dateAndTime(seconds * 1000).slice(0, 10);
    return clockTime(seconds * 1000).slice(0, step < 60 ? 8 : 5);
  });
}
