// Parameters over time: a chart for each unit, with one cursor for all; what has no curve is listed.
import { useMemo, useState } from "react";
import { count } from "../../format/quantity";
import { dateAndTime, duration } from "../../format/time";
import { useFrame } from "../../live/hooks";
import { Failure } from "../../shell/Notice";
import { type PlotData, type PlotLine, usePlotData } from "../../telemetry/history";
import type { TimeWindow } from "../../time/mode";
import { useTime } from "../../time/useTime";
import type { ParameterDescription } from "../../types";
import { type ChartLine, isDrawable, scaleOf } from "../plot/lines";
import { ReadableChart } from "../plot/ReadableChart";
import { useGaps } from "../plot/useGaps";
import { useLimits } from "../plot/useLimits";
import { SeriesTable } from "./SeriesTable";
import { TextHistory } from "./TextHistory";

/** A table that was never a chart has as many rows as this. */
const TABLE_POINTS = 1_000;

type Line = ChartLine & PlotLine;

interface Props {
  mission: string;
  parameters: readonly ParameterDescription[];
  asTable: boolean;
}

export function Lines({ mission, parameters, asTable }: Props) {
  const drawable = useMemo(() => parameters.filter(isDrawable).map(({ name }) => name), [parameters]);
  const texts = parameters.filter((parameter) => !isDrawable(parameter));
  const [width, setWidth] = useState<number | null>(null);
  const data = usePlotData(mission, drawable, width ?? (asTable ? TABLE_POINTS : null));
  const limitsOf = useLimits(mission);
  const lines = useMemo(
    () => data.lines.map((line) => ({ ...line, limits: limitsOf(line.parameter) })),
    [data.lines, limitsOf],
  );
  const first = data.lines[0]?.series;
  return (
    <div
      className="lines"
      data-testid="plot"
      data-points={first?.times.length ?? 0}
      data-last={first?.newest ?? ""}
    >
      {data.error === null ? null : <Failure error={data.error} onRetry={data.retry} />}
      {drawable.length === 0 ? null : asTable ? (
        <SeriesTable lines={lines} />
      ) : (
        <Charts lines={lines} window={data.window} onWidth={setWidth} />
      )}
      {drawable.length === 0 ? null : <Status data={data} />}
      {texts.map((parameter) => (
        <TextHistory key={parameter.name} mission={mission} parameter={parameter} />
      ))}
    </div>
  );
}

interface ChartsProps {
  lines: readonly Line[];
  window: TimeWindow;
  onWidth: (width: number) => void;
}

function Charts({ lines, window, onWidth }: ChartsProps) {
  const charts = useMemo(() => groupsOf(lines), [lines]);
  return [...charts].map(([scale, own]) => (
    <GroupChart key={scale} lines={own} window={window} onWidth={onWidth} />
  ));
}

function GroupChart({ lines, window, onWidth }: ChartsProps) {
  const { health } = useFrame();
  const { mode } = useTime();
  const gaps = useGaps(lines);
  const names = lines.map((line) => line.parameter.short_name).join(", ");
  return (
    <section className="panel plot-panel" aria-label={`Plot of ${names}`}>
      <ReadableChart
        name={names}
        lines={lines}
        window={window}
        gaps={gaps}
        frozenSince={mode.kind === "live" && health.state !== "live" ? health.frozenAt : null}
        fit="values"
        onWidth={onWidth}
      />
    </section>
  );
}

/** Lines of one unit share a chart, in the order in which their first one was added. */
function groupsOf(lines: readonly Line[]): Map<string, Line[]> {
  const groups = new Map<string, Line[]>();
  for (const line of lines) {
    const scale = scaleOf(line.parameter);
    groups.set(scale, [...(groups.get(scale) ?? []), line]);
  }
  return groups;
}

function Status({ data }: { data: PlotData }) {
  const { mode, now } = useTime();
  if (data.pending) return <p className="faint">Loading history…</p>;
  const points = data.lines.reduce((sum, line) => sum + line.series.times.length, 0);
  const widest = data.lines.reduce((most, line) => Math.max(most, line.series.bucketMs), 0);
  const until = mode.kind === "replay" ? now : data.window.to;
  const span = `${dateAndTime(data.window.from)} – ${dateAndTime(until)}`;
  if (points === 0) return <p className="faint">No sample was generated in {span}.</p>;
  const what = widest > 0 ? `points, each the last and the extremes of ${duration(widest)}` : "samples";
  return (
    <p className="faint">
      {count(points)} {what} · generation time, UTC · {span}
    </p>
  );
}
