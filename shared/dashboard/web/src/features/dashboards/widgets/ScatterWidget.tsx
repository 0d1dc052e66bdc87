// One parameter against another. Older pairs are fainter; the newest is a ring.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { alignedQuery } from "../../../api/dashboards";
import { dateAndTime } from "../../../format/time";
import { Failure, Loading } from "../../../shell/Notice";
import { writeMode } from "../../../time/mode";
import { useTime, useTimeNow } from "../../../time/useTime";
import type { ParameterDescription } from "../../../types";
import { pointText, valueLabels } from "../../plot/cursor";
import { isDrawable } from "../../plot/lines";
import { parametersOf } from "../layout/opts";
import type { WidgetProps } from "./kinds";
import { extent, type Pair, pairsOf, ticks } from "./scatter";
import { isUnanswered, Unanswered } from "./Unanswered";
import { Unknown } from "./Unknown";
import { useDescriptions } from "./useDescriptions";

const CELLS = 400;
const SIZE = { width: 400, height: 300, left: 58, bottom: 34, top: 8, right: 10 };

export function ScatterWidget({ mission, name, opts, asTable }: WidgetProps) {
  const names = parametersOf(opts);
  const { known, unknown, ...described } = useDescriptions(mission, names);
  const { mode, now } = useTime();
  const timeNow = useTimeNow();
  const drawable = known.length === 2 && known.every(isDrawable);
  const answer = useQuery({
    ...alignedQuery({
      mission,
      parameters: names,
      window: () => timeNow().window,
      windowName: writeMode(mode.kind === "replay" ? { ...mode, kind: "fixed" } : mode),
      points: CELLS,
      isLive: mode.kind === "live",
    }),
    enabled: drawable,
  });
  // Half of a replay's range has not happened yet at the moment it shows.
  const until = mode.kind === "replay" ? Math.floor(now / 1000) * 1000 : Number.POSITIVE_INFINITY;
  const { pairs, beyond } = useMemo(
    () => (answer.data === undefined ? { pairs: [], beyond: 0 } : pairsOf(answer.data, until)),
    [answer.data, until],
  );
  if (isUnanswered(described)) return <Unanswered {...described} />;
  const [x, y] = known;
  if (x === undefined || y === undefined || !drawable)
    return unknown.length > 0 ? (
      <Unknown mission={mission} names={unknown} />
    ) : (
      <p className="empty">Both parameters must have numbers.</p>
    );
  if (answer.isError) return <Failure error={answer.error} onRetry={() => void answer.refetch()} />;
  if (answer.data === undefined) return <Loading what="values" />;
  const newest = pairs.at(-1);
  return (
    <>
      {asTable ? <PairTable name={name} x={x} y={y} pairs={pairs} /> : <Cloud x={x} y={y} pairs={pairs} />}
      <p className="faint widget-note">
        {newest === undefined
          ? "No moment with values of both in this range."
          : `${pairs.length} pairs, the newest of ${dateAndTime(newest.time)}`}
        {beyond > 0 ? ` · ${beyond} beyond any axis` : ""}
      </p>
    </>
  );
}

interface CloudProps {
  x: ParameterDescription;
  y: ParameterDescription;
  pairs: readonly Pair[];
}

export function Cloud({ x, y, pairs }: CloudProps) {
  const xs = extent(pairs.map((pair) => pair.x));
  const ys = extent(pairs.map((pair) => pair.y));
  const { width, height, left, bottom, top, right } = SIZE;
  const atX = (value: number) => left + ((value - xs[0]) / (xs[1] - xs[0])) * (width - left - right);
  const atY = (value: number) =>
    height - bottom - ((value - ys[0]) / (ys[1] - ys[0])) * (height - bottom - top);
  const [xTicks, yTicks] = [ticks(xs, 5), ticks(ys, 5)];
  const [xLabels, yLabels] = [valueLabels(xTicks), valueLabels(yTicks)];
  const newest = pairs.at(-1);
  return (
    <svg
      className="scatter"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`${y.short_name} against ${x.short_name}, ${pairs.length} pairs`}
    >
      {xTicks.map((tick, index) => (
        <g key={tick}>
          <path className="grid-line" d={`M${atX(tick)} ${top}V${height - bottom}`} />
          <text x={atX(tick)} y={height - bottom + 13} textAnchor="middle">
            {xLabels[index]}
          </text>
        </g>
      ))}
      {yTicks.map((tick, index) => (
        <g key={tick}>
          <path className="grid-line" d={`M${left} ${atY(tick)}H${width - right}`} />
          <text x={left - 5} y={atY(tick) + 3.5} textAnchor="end">
            {yLabels[index]}
          </text>
        </g>
      ))}
      {pairs.map((pair, index) => (
        <circle
          key={pair.time}
          className="pair"
          cx={atX(pair.x)}
          cy={atY(pair.y)}
          r="2.2"
          opacity={0.25 + (0.75 * (index + 1)) / pairs.length}
        />
      ))}
      {newest === undefined ? null : (
        <circle className="pair-newest" cx={atX(newest.x)} cy={atY(newest.y)} r="6" />
      )}
      <text x={width - right} y={height - 4} textAnchor="end" className="axis-name">
        {axisName(x)}
      </text>
      <text x={left + 4} y={top + 10} className="axis-name">
        {axisName(y)}
      </text>
    </svg>
  );
}

function axisName({ short_name: name, unit }: ParameterDescription): string {
  const short = name.length > 40 ? `${name.slice(0, 39)}…` : name;
  return unit ? `${short} [${unit.slice(0, 16)}]` : short;
}

function PairTable({ name, x, y, pairs }: CloudProps & { name: string }) {
  return (
    <div className="widget-scroller">
      <table className="grid" aria-label={`Pairs of ${name}`}>
        <thead>
          <tr>
            <th scope="col">Around (UTC)</th>
            {[x, y].map((parameter) => (
              <th key={parameter.name} scope="col" className="number" title={parameter.name}>
                <bdi>{parameter.short_name}</bdi>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {pairs
            .slice(-200)
            .reverse()
            .map((pair) => (
              <tr key={pair.time}>
                <th scope="row">{dateAndTime(pair.time)}</th>
                <td className="number">{pointText(pair.x, x)}</td>
                <td className="number">{pointText(pair.y, y)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}
