// A chart's data as a table, newest first.
import { clockTime, dateAndTime, preciseClockTime } from "../../format/time";
import { pointText } from "./cursor";
import { type ChartLine, isStepped } from "./lines";
import { type LimitSet, severityAt } from "./zones";

const ROWS_MAX = 200;

interface Row {
  line: ChartLine;
  index: number;
  time: number;
}

export function PlotTable({ lines }: { lines: readonly ChartLine[] }) {
  const spread = lines.some((line) => line.series.bucketMs > 0 && !isStepped(line.parameter));
  const limited = lines.some((line) => line.limits !== null);
  return (
    <div className="table-scroller short">
      <table
        className="grid"
        aria-label={`Newest values of ${lines.map((l) => l.parameter.short_name).join(", ")}`}
      >
        <thead>
          <tr>
            <th scope="col">Generated (UTC)</th>
            {lines.length > 1 ? <th scope="col">Parameter</th> : null}
            <th scope="col" className="number">
              Value
            </th>
            {spread ? (
              <>
                <th scope="col" className="number">
                  Smallest
                </th>
                <th scope="col" className="number">
                  Largest
                </th>
              </>
            ) : null}
            {limited ? <th scope="col">Limits now</th> : null}
          </tr>
        </thead>
        <tbody>
          {newest(lines).map(({ line, index, time }) => {
            const { parameter, series, limits } = line;
            const text = (value: number | null | undefined) => pointText(value ?? null, parameter);
            const last = series.last[index] ?? null;
            return (
              <tr key={`${parameter.name} ${time}`}>
                <th scope="row">
                  {dateAndTime(time).slice(0, 10)}{" "}
                  {series.bucketMs >= 1000 ? clockTime(time) : preciseClockTime(time)}
                </th>
                {lines.length > 1 ? (
                  <td title={parameter.name}>
                    <bdi>{parameter.short_name}</bdi>
                  </td>
                ) : null}
                <td className="number">{text(last)}</td>
                {spread ? (
                  <>
                    <td className="number">{text(series.min[index])}</td>
                    <td className="number">{text(series.max[index])}</td>
                  </>
                ) : null}
                {limited ? <td>{last === null ? "" : standing(last, limits)}</td> : null}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function standing(value: number, limits: LimitSet | null): string {
  const severity = severityAt(value, limits);
  if (limits === null || severity !== null) return severity ?? "none";
  return limits.isPartial ? "within, where no condition holds" : "within";
}

function newest(lines: readonly ChartLine[]): Row[] {
  const rows = lines.flatMap((line) => {
    const { times } = line.series;
    const first = Math.max(0, times.length - ROWS_MAX);
    return times.slice(first).map((time, offset) => ({ line, index: first + offset, time }));
  });
  return rows.sort((a, b) => b.time - a.time).slice(0, ROWS_MAX);
}
