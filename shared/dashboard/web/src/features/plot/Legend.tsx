// Which line is which, what it is at the cursor, and which patterns mean which cause of a gap.
import { clockTime } from "../../format/time";
import { StatusSymbol } from "../../shell/StatusSymbol";
import { nearestIndex, pointText } from "./cursor";
import { type ChartLine, limitedLine, lookOf } from "./lines";
import { useSharedCursor } from "./sharedCursor";
import { GAP_PATTERNS, GAP_WORDS, type Gap, type GapKind } from "./silences";
import { severityAt, statusAt } from "./zones";

/** Of each line the value at the shared cursor, or its newest; with the time it was generated at. */
export function Legend({ lines, gaps }: { lines: readonly ChartLine[]; gaps: readonly Gap[] }) {
  const cursor = useSharedCursor((state) => state.time);
  const limited = lines.length > 1 ? limitedLine(lines) : undefined;
  const kinds = [...new Set(gaps.map((gap) => gap.kind))];
  return (
    <ul className="chart-legend" aria-label="Lines of the chart">
      {lines.map((line, index) => (
        <li key={line.parameter.name}>
          <LineSwatch index={index} />
          <bdi className="name" title={line.parameter.name}>
            {line.parameter.short_name}
          </bdi>
          <ValueAt line={line} cursor={cursor} />
        </li>
      ))}
      {limited === undefined ? null : (
        <li className="faint">
          bands: limits of <bdi>{limited.parameter.short_name}</bdi>
        </li>
      )}
      {lines.map(({ limits, parameter: { name, short_name } }) =>
        limits?.isPartial ? (
          <li key={`limits of ${name}`} className="faint">
            under a condition other limits of <bdi>{short_name}</bdi> count, which are not drawn
          </li>
        ) : null,
      )}
      {kinds.map((kind) => (
        <li key={kind} className="faint">
          <GapSwatch kind={kind} />
          {GAP_WORDS[kind]}
        </li>
      ))}
    </ul>
  );
}

function ValueAt({ line, cursor }: { line: ChartLine; cursor: number | null }) {
  const { series, parameter, limits, lack } = line;
  const index =
    cursor === null
      ? series.times.length - 1
      : (nearestIndex(series.times, cursor) ?? series.times.length - 1);
  const time = series.times[index];
  if (time === undefined) return <span className="faint">{lack}</span>;
  const value = series.last[index] ?? null;
  const severity = value === null ? null : severityAt(value, limits);
  const status = value === null ? null : statusAt(value, limits);
  return (
    <>
      <strong>{pointText(value, parameter)}</strong>
      {status === null ? null : (
        <span className={`state ${status}`}>
          <StatusSymbol status={status} /> {severity}
        </span>
      )}
      <span className="faint">{clockTime(time)}</span>
    </>
  );
}

export function LineSwatch({ index }: { index: number }) {
  const { colour, dash } = lookOf(index);
  return (
    <svg className="line-swatch" width="26" height="10" aria-hidden="true" focusable="false">
      <line
        x1="0"
        x2="26"
        y1="5"
        y2="5"
        strokeWidth="2"
        strokeDasharray={dash.length === 0 ? undefined : dash.join(" ")}
        style={{ stroke: `var(${colour})` }}
      />
    </svg>
  );
}

function GapSwatch({ kind }: { kind: GapKind }) {
  const moves = GAP_PATTERNS[kind].map(([x1, y1, x2, y2]) => `M${x1} ${y1}L${x2} ${y2}`).join("");
  return (
    <svg
      className="line-swatch gap"
      width="12"
      height="12"
      viewBox="0 0 10 10"
      aria-hidden="true"
      focusable="false"
    >
      <path d={moves} />
      <rect width="10" height="10" />
    </svg>
  );
}
