// Draws chart columns with uPlot: envelope, line, lone points, and the span without a connection.
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { clockTime, dateAndTime } from "../../format/time";
import type { ParameterDescription } from "../../types";
import { pointText, valueLabels } from "./cursor";
import { drawFrozen, drawLonePoints } from "./marks";
import type { TimeWindow } from "./range";
import type { ChartColumns } from "./series";

/** Where the page gives none: the style sheet asks for as much. */
const SHORTEST = 320;
/** Room for half of the last label. */
const RIGHT = 32;
/** Steps of an axis that counts whole things. */
const WHOLE_STEPS = Array.from({ length: 16 }, (_, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
).flat();

export interface ChartProps {
  parameter: ParameterDescription;
  columns: ChartColumns;
  window: TimeWindow;
  /** Time of the cursor, Unix milliseconds. */
  cursor: number | null;
  /** Since when nothing can have arrived, because the connection is frozen. */
  frozenSince: number | null;
  theme: string;
  onHover: (time: number | null) => void;
  onWidth: (width: number) => void;
}

export function Chart(props: ChartProps) {
  const { parameter, columns, window: shown, cursor, theme, onWidth } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const current = useRef(props);
  current.current = props;

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const chart = new uPlot(options(current, parameter, size(element)), current.current.columns, element);
    plot.current = chart;
    const watch = new ResizeObserver(() => {
      const { width, height } = size(element);
      if (width !== chart.width || height !== chart.height) chart.setSize({ width, height });
      onWidth(element.clientWidth);
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [parameter, onWidth]);

  useEffect(() => {
    const chart = plot.current;
    if (chart === null) return;
    chart.batch(() => {
      chart.setData(columns, false);
      chart.setScale("x", { min: shown.from / 1000, max: shown.to / 1000 });
    });
    if (cursor !== null)
      chart.setCursor(
        { left: chart.valToPos(cursor / 1000, "x"), top: chart.bbox.height / devicePixelRatio / 2 },
        false,
      );
  }, [columns, shown, cursor]);

  // Colours are read from the style sheet while drawing.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme changes what the style sheet says.
  useEffect(() => plot.current?.redraw(false, true), [theme]);

  return <div ref={place} className="chart" />;
}

function size(element: HTMLElement): { width: number; height: number } {
  return { width: Math.max(320, element.clientWidth), height: Math.max(SHORTEST, element.clientHeight) };
}

function options(
  current: { current: ChartProps },
  parameter: ParameterDescription,
  { width, height }: { width: number; height: number },
): uPlot.Options {
  const stepped = parameter.kind === "enumeration" || parameter.kind === "boolean";
  const line = () => colour("--series-1");
  const paths = stepped ? uPlot.paths.stepped?.({ align: 1 }) : uPlot.paths.linear?.();
  const axis = {
    stroke: () => colour("--muted"),
    font: "11px system-ui, sans-serif",
    grid: { stroke: () => colour("--grid"), width: 1 },
    ticks: { stroke: () => colour("--grid"), width: 1, size: 4 },
  };
  const edge: uPlot.Series = {
    ...(paths ? { paths } : {}),
    stroke: "transparent",
    width: 0,
    points: { show: false },
  };
  return {
    width,
    height,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    legend: { show: false },
    padding: [12, RIGHT, 0, 0],
    cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: true }, y: { range: (_, low, high) => limits(parameter, low, high) } },
    axes: [
      { ...axis, size: 32, space: 72, values: (_, splits) => timeLabels(splits) },
      { ...axis, ...(stepped ? stateAxis(parameter) : valueAxis(parameter)) },
    ],
    series: [
      {},
      { ...(paths ? { paths } : {}), stroke: line, width: 1.5, points: { show: false } },
      edge,
      edge,
    ],
    bands: stepped ? [] : [{ series: [3, 2], fill: () => colour("--band") }],
    hooks: {
      draw: [
        (chart) => {
          drawFrozen(chart, current.current.frozenSince, colour("--hatch"));
          drawLonePoints(chart, colour("--series-1"));
        },
      ],
      setCursor: [
        (chart) => {
          const { left } = chart.cursor;
          current.current.onHover(left === undefined || left < 0 ? null : chart.posToVal(left, "x") * 1000);
        },
      ],
    },
  };
}

function limits(
  parameter: ParameterDescription,
  low: number | null,
  high: number | null,
): uPlot.Range.MinMax {
  if (parameter.kind === "boolean") return [-0.25, 1.25];
  if (parameter.kind === "enumeration" && parameter.labels.length > 0) {
    const values = parameter.labels.map((label) => label.value);
    return [Math.min(...values, low ?? 0) - 0.5, Math.max(...values, high ?? 0) + 0.5];
  }
  if (low === null || high === null) return [0, 1];
  const margin = high > low ? (high - low) * 0.08 : Math.max(Math.abs(high) * 0.01, 0.5);
  return [low - margin, high + margin];
}

function stateAxis(parameter: ParameterDescription): Partial<uPlot.Axis> {
  const states = parameter.kind === "boolean" ? [0, 1] : parameter.labels.map((label) => label.value);
  const longest = Math.max(...states.map((state) => pointText(state, parameter).length));
  return {
    size: Math.max(72, 24 + 7 * longest),
    splits: () => states,
    values: (_, splits) => splits.map((state) => pointText(state, parameter)),
  };
}

function valueAxis(parameter: ParameterDescription): Partial<uPlot.Axis> {
  const unit = parameter.unit ? ` ${parameter.unit}` : "";
  return {
    size: 72 + 6 * unit.length,
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

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
