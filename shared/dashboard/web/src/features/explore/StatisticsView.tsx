// A range in numbers: a row a parameter. Each is asked for by itself, so that a slow one holds up no other.
import { useQuery } from "@tanstack/react-query";
import { explain } from "../../api/client";
import { statisticsQuery } from "../../api/explore";
import { count, realValue } from "../../format/quantity";
import { clockTime, dateAndTime, duration, parseTime } from "../../format/time";
import { type TimeMode, writeMode } from "../../time/mode";
import { useTime, useTimeNow } from "../../time/useTime";
import type { ParameterDescription, Statistics } from "../../types";
import { pointText } from "../plot/cursor";
import { isDrawable, isStepped } from "../plot/lines";

interface Props {
  mission: string;
  parameters: readonly ParameterDescription[];
}

const HEADS = ["Samples", "Smallest", "Largest", "Mean", "Deviation", "First", "Last", "Outside limits"];
/** A replay is summed up so often, in seconds of the browser. */
const REPLAY_EVERY_S = 3;
const DAY_MS = 24 * 3_600_000;

export function StatisticsView({ mission, parameters }: Props) {
  const { mode, now, window: shown } = useTime();
  const until = mode.kind === "live" ? shown.to : momentOf(mode, now);
  return (
    <>
      <div className="panel scroll-x">
        <table className="grid statistics" aria-label="Statistics">
          <thead>
            <tr>
              <th scope="col">Parameter</th>
              {HEADS.map((head) => (
                <th key={head} scope="col" className="number">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {parameters.map((parameter) => (
              <ParameterRow
                key={parameter.name}
                mission={mission}
                parameter={parameter}
                mode={mode}
                until={until}
              />
            ))}
          </tbody>
        </table>
      </div>
      <p className="faint">
        Of valid samples generated {dateAndTime(shown.from)} – {dateAndTime(until)}; the deviation is that of
        the whole population; outside limits as they were when each sample was made.
      </p>
    </>
  );
}

/** Up to where a replay stands, in steps. */
function momentOf(mode: Exclude<TimeMode, { kind: "live" }>, now: number): number {
  if (mode.kind === "fixed") return mode.to;
  const step = REPLAY_EVERY_S * 1_000 * mode.speed;
  return mode.at ?? Math.min(mode.to, Math.max(mode.from, Math.floor(now / step) * step));
}

interface RowProps {
  mission: string;
  parameter: ParameterDescription;
  mode: TimeMode;
  until: number;
}

function ParameterRow({ mission, parameter, mode, until }: RowProps) {
  const timeNow = useTimeNow();
  const isLive = mode.kind === "live";
  const found = useQuery({
    ...statisticsQuery({
      mission,
      parameter: parameter.name,
      window: () => (isLive ? timeNow().window : { from: mode.from, to: until }),
      windowName: isLive ? mode.span : writeMode({ kind: "fixed", from: mode.from, to: until }),
      isLive,
    }),
    enabled: isLive || until > mode.from,
  });
  return (
    <tr>
      <th scope="row" title={parameter.name}>
        <bdi>{parameter.name}</bdi>
      </th>
      {found.isError ? (
        <td colSpan={HEADS.length}>
          <span className="state serious">{explain(found.error).title}</span> {explain(found.error).detail}{" "}
          <button type="button" onClick={() => void found.refetch()}>
            Try again
          </button>
        </td>
      ) : found.data === undefined ? (
        <td colSpan={HEADS.length} className="faint">
          Reading…
        </td>
      ) : (
        <Numbers parameter={parameter} answer={found.data} />
      )}
    </tr>
  );
}

function Numbers({ parameter, answer }: { parameter: ParameterDescription; answer: Statistics }) {
  const { total } = answer;
  const isWithinDay = parseTime(answer.to) - parseTime(answer.from) <= DAY_MS;
  const { count: samples, numbers, min, max, mean, deviation, first, last } = total;
  const isNumber = isDrawable(parameter);
  const text = (value: number | null | undefined) =>
    value === null || value === undefined ? "" : pointText(value, parameter);
  // Between states there is nothing: the mean of SAFE and NOMINAL is no state.
  const between = (value: number | null | undefined) =>
    value === null || value === undefined || isStepped(parameter) ? "" : withUnit(value, parameter);
  return (
    <>
      <td className="number">
        {count(samples)}
        {isNumber && numbers < samples ? (
          <span className="faint"> ({count(samples - numbers)} no number)</span>
        ) : null}
      </td>
      <td className="number">{text(min)}</td>
      <td className="number">{text(max)}</td>
      <td className="number">{between(mean)}</td>
      <td className="number">{between(deviation)}</td>
      <Moment at={first?.generation_time} isWithinDay={isWithinDay} text={text(first?.value)} />
      <Moment at={last?.generation_time} isWithinDay={isWithinDay} text={text(last?.value)} />
      <td className="number">
        {total.monitored === 0 ? (
          <span className="faint">not monitored</span>
        ) : (
          <span className={total.outside > 0 ? "state serious" : undefined}>
            {count(total.outside)} of {count(total.monitored)}
            {total.outside > 0 ? `, ${duration(total.outside_s * 1000)}` : ""}
          </span>
        )}
      </td>
    </>
  );
}

function withUnit(value: number, { unit }: ParameterDescription): string {
  return unit ? `${realValue(value)} ${unit}` : realValue(value);
}

interface MomentProps {
  at: string | undefined;
  /** The date would say nothing that is not known. */
  isWithinDay: boolean;
  text: string;
}

function Moment({ at, isWithinDay, text }: MomentProps) {
  return (
    <td className="number" title={at}>
      {text}
      {at === undefined ? null : (
        <span className="faint"> {isWithinDay ? clockTime(parseTime(at)) : dateAndTime(parseTime(at))}</span>
      )}
    </td>
  );
}
