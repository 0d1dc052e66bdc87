// Modes and switches over time: one lane for each, a block for each state with its name in it.
import { useMemo } from "react";
import { clockTime, dateAndTime, duration } from "../../../format/time";
import { useFrame } from "../../../live/hooks";
import { Failure } from "../../../shell/Notice";
import { type Freshness, staleAfter } from "../../../telemetry/freshness";
import { type PlotLine, usePlotData } from "../../../telemetry/history";
import type { TimeWindow } from "../../../time/mode";
import { useTime } from "../../../time/useTime";
import { pointText } from "../../plot/cursor";
import { isDrawable } from "../../plot/lines";
import { useLimits } from "../../plot/useLimits";
import { type LimitSet, statusAt } from "../../plot/zones";
import { parametersOf } from "../layout/opts";
import type { WidgetProps } from "./kinds";
import { type Run, runsOf } from "./runs";
import { Stamp } from "./Stamp";
import { Unknown } from "./Unknown";
import { useDescriptions } from "./useDescriptions";

const POINTS = 600;
/** States are told apart by their names; the colours only help, and none of them means a status. */
const COLOURS = 6;

interface Lane {
  line: PlotLine;
  runs: Run[];
  limits: LimitSet | null;
}

export function StateTimelineWidget({ mission, name, opts, asTable }: WidgetProps) {
  const names = parametersOf(opts);
  const { known, unknown } = useDescriptions(mission, names);
  const drawable = useMemo(() => known.filter(isDrawable).map((parameter) => parameter.name), [known]);
  const data = usePlotData(mission, drawable, POINTS);
  const limitsOf = useLimits(mission);
  const { mode, now } = useTime();
  const { health } = useFrame();
  const isFrozen = mode.kind === "live" && health.state !== "live";
  const { window: span, lines } = data;
  const until = Math.min(now, span.to);
  const lanes = lines.map((line) => ({
    line,
    runs: runsOf(line.series, line.gapMs, until),
    limits: limitsOf(line.parameter),
  }));
  return (
    <>
      {data.error === null ? null : <Failure error={data.error} onRetry={data.retry} />}
      {asTable ? (
        <RunTable name={name} lanes={lanes} />
      ) : (
        <div className="state-lanes">
          {lanes.map((lane) => (
            <LaneView
              key={lane.line.parameter.name}
              lane={lane}
              span={span}
              newest={newestOf(lane, until, isFrozen)}
            />
          ))}
          <p className="faint state-ends">
            <time>{clockTime(span.from)}</time>
            <time>{clockTime(span.to)}</time>
          </p>
        </div>
      )}
      <Unknown mission={mission} names={unknown} />
    </>
  );
}

interface LaneProps {
  lane: Lane;
  span: TimeWindow;
  newest: Freshness | null;
}

function LaneView({ lane: { line, runs, limits }, span, newest }: LaneProps) {
  const { parameter } = line;
  const last = runs.at(-1);
  const per = 100 / (span.to - span.from);
  return (
    <div className="state-lane">
      <span className="state-name" title={parameter.name}>
        <bdi>{parameter.short_name}</bdi>{" "}
        <strong className={newest?.stale ? "faint" : undefined}>
          {last === undefined ? line.lack : stateText(last, line)}
        </strong>
        {newest === null ? null : <Stamp shown={newest} lack={line.lack} />}
      </span>
      <div className="state-track">
        {runs.map((run) => {
          const from = Math.max(run.from, span.from);
          const to = Math.min(run.to, span.to);
          if (to <= from) return null;
          const status = run.state === null ? null : statusAt(run.state, limits);
          return (
            <span
              key={run.from}
              className={`state-run ${run.state === null ? "mixed" : `hue-${Math.abs(run.state) % COLOURS}`} ${status ?? ""}`}
              style={{ left: `${(from - span.from) * per}%`, width: `${(to - from) * per}%` }}
              title={`${stateText(run, line)}, ${clockTime(run.from)} to ${clockTime(run.to)}`}
            >
              {stateText(run, line)}
            </span>
          );
        })}
      </div>
    </div>
  );
}

/** How old the last state is at the time shown: what ended before then, or cannot go on, is no present state. */
function newestOf(
  { line: { series, gapMs }, runs }: Lane,
  until: number,
  isFrozen: boolean,
): Freshness | null {
  const [last, bucket] = [runs.at(-1), series.times.at(-1)];
  if (last === undefined || bucket === undefined) return null;
  // The newest sample of all may lie behind where a replay stands, or may hold no state.
  const generatedAt = Math.min(series.newest ?? bucket, bucket + series.bucketMs, last.to);
  const age = until - generatedAt;
  return { generatedAt, age, stale: isFrozen || age > (Number.isFinite(gapMs) ? gapMs : staleAfter(null)) };
}

function stateText({ state }: Run, { parameter }: PlotLine): string {
  return state === null ? "several" : pointText(state, parameter);
}

function RunTable({ name, lanes }: { name: string; lanes: readonly Lane[] }) {
  const rows = lanes
    .flatMap(({ line, runs }) => runs.map((run) => ({ line, run })))
    .sort((a, b) => b.run.from - a.run.from)
    .slice(0, 200);
  return (
    <div className="widget-scroller">
      <table className="grid" aria-label={`States of ${name}`}>
        <thead>
          <tr>
            <th scope="col">From (UTC)</th>
            <th scope="col">Parameter</th>
            <th scope="col">State</th>
            <th scope="col" className="number">
              For
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ line, run }) => (
            <tr key={`${line.parameter.name} ${run.from}`}>
              <th scope="row">{dateAndTime(run.from)}</th>
              <td title={line.parameter.name}>
                <bdi>{line.parameter.short_name}</bdi>
              </td>
              <td>{stateText(run, line)}</td>
              <td className="number">{duration(run.to - run.from)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
