// Shows a plot: the value now, the chart, and the same data as a table.
import { Link } from "@tanstack/react-router";
import { type KeyboardEvent, type ReactNode, useState } from "react";
import { count } from "../../format/quantity";
import { dateAndTime, duration } from "../../format/time";
import type { Frame } from "../../live/client";
import { Failure } from "../../shell/Notice";
import { useTheme } from "../../shell/theme";
import type { ParameterDescription, Sample } from "../../types";
import { Chart } from "./Chart";
import { CurrentValue } from "./CurrentValue";
import { moveCursor, nearestIndex, readOut } from "./cursor";
import { PlotTable } from "./PlotTable";
import { RangeBar } from "./RangeBar";
import type { Range, TimeWindow } from "./range";
import { chartColumns, type Series } from "./series";

interface Props {
  mission: string;
  parameter: ParameterDescription;
  series: Series;
  gapMs: number;
  latest: Sample | null;
  frame: Frame;
  window: TimeWindow;
  range: Range;
  end: number | null;
  loading: boolean;
  error: unknown;
  onRetry: () => void;
  onRange: (range: Range) => void;
  onEnd: (end: number | null) => void;
  onWidth: (width: number) => void;
  /** Stands in the chart's place when the parameter has no curve. */
  children: ReactNode;
}

export function PlotView(props: Props) {
  const { mission, parameter, series, latest, frame, window: shown, range, end } = props;
  const [asTable, setAsTable] = useState(false);
  const folder = parameter.name.slice(0, parameter.name.length - parameter.short_name.length);
  return (
    <div data-testid="plot" data-points={series.times.length} data-last={series.newest ?? ""}>
      <header className="page-head">
        <h1>
          <Link to="/m/$mission" params={{ mission }} search={{ q: "" }} className="faint">
            {mission}
          </Link>{" "}
          <span className="faint">{folder}</span>
          {parameter.short_name}
        </h1>
        <span className="faint">{parameter.description}</span>
      </header>
      <div className="plot-head">
        <CurrentValue parameter={parameter} sample={latest} frame={frame} />
        <RangeBar window={shown} range={range} end={end} onRange={props.onRange} onEnd={props.onEnd} />
      </div>
      {props.error === null ? null : <Failure error={props.error} onRetry={props.onRetry} />}
      <section className="panel plot-panel" aria-label={`Plot of ${parameter.short_name}`}>
        {props.children ?? (
          <>
            <ChartWithCursor {...props}>
              <button type="button" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
                Show as table
              </button>
            </ChartWithCursor>
            {asTable ? <PlotTable parameter={parameter} series={series} /> : null}
          </>
        )}
      </section>
    </div>
  );
}

function ChartWithCursor(props: Props) {
  const { parameter, series, gapMs, frame, window: shown, onWidth } = props;
  const theme = useTheme((state) => state.theme);
  const [cursor, setCursor] = useState<number | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const [spoken, setSpoken] = useState("");
  const cursorIndex = cursor === null ? null : nearestIndex(series.times, cursor);
  const hoverIndex = hover === null ? null : nearestIndex(series.times, hover);
  const pointed = hoverIndex ?? cursorIndex;

  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      setCursor(null);
      setSpoken("");
      return;
    }
    const next = moveCursor(event.key, cursorIndex, series.times.length);
    if (next === null) return;
    event.preventDefault();
    setCursor(series.times[next] ?? null);
    setSpoken(readOut(series, next, parameter));
  };

  return (
    <>
      {/* A chart is read point by point, like a slider, but changes nothing: `application` passes the arrow keys on. */}
      <div
        className="chart-focus"
        role="application"
        aria-roledescription="chart"
        aria-label={`Chart of ${parameter.short_name}. Left and right arrow keys read its values.`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the cursor is moved with the arrow keys.
        tabIndex={0}
        onKeyDown={onKey}
      >
        <Chart
          parameter={parameter}
          columns={chartColumns(series, gapMs)}
          window={shown}
          cursor={cursor}
          frozenSince={frame.health.state === "live" ? null : frame.health.frozenAt}
          theme={theme}
          onHover={setHover}
          onWidth={onWidth}
        />
      </div>
      <div className="plot-foot">
        <span className="faint">{statusLine(props)}</span>
        <span className="read-out" aria-hidden="true">
          {pointed === null ? "" : readOut(series, pointed, parameter)}
        </span>
        {props.children}
      </div>
      <output className="visually-hidden" aria-live="polite" data-testid="cursor-value">
        {spoken}
      </output>
    </>
  );
}

function statusLine({ loading, series, latest, window: shown, end }: Props): string {
  if (loading) return "Loading history…";
  if (series.times.length > 0) {
    const kind =
      series.bucketMs > 0
        ? `points, each the last and the extremes of ${duration(series.bucketMs)}`
        : "samples";
    return `${count(series.times.length)} ${kind} · generation time, UTC`;
  }
  if (latest === null) return "No sample of this parameter was ever received.";
  if (end === null) return `No sample in this window. The newest was generated ${latest.generation_time}.`;
  return `No sample between ${dateAndTime(shown.from)} and ${dateAndTime(shown.to)}.`;
}
