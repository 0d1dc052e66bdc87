// The chart's data as a table, newest first.
import { clockTime, dateAndTime, preciseClockTime } from "../../format/time";
import type { ParameterDescription } from "../../types";
import { pointText } from "./cursor";
import type { Series } from "./series";

const ROWS_MAX = 100;

export function PlotTable({ parameter, series }: { parameter: ParameterDescription; series: Series }) {
  const first = Math.max(0, series.times.length - ROWS_MAX);
  const rows = series.times.slice(first).map((time, index) => ({ time, index: first + index }));
  const labelled = parameter.kind === "enumeration" || parameter.kind === "boolean";
  const spread = series.bucketMs > 0 && !labelled;
  return (
    <div className="table-scroller short">
      <table className="grid" aria-label={`Newest values of ${parameter.short_name}`}>
        <thead>
          <tr>
            <th scope="col">Generated (UTC)</th>
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
          </tr>
        </thead>
        <tbody>
          {rows.reverse().map(({ time, index }) => (
            <tr key={time}>
              <th scope="row">
                {dateAndTime(time).slice(0, 10)}{" "}
                {series.bucketMs >= 1000 ? clockTime(time) : preciseClockTime(time)}
              </th>
              <td className="number">{pointText(series.last[index] ?? null, parameter)}</td>
              {spread ? (
                <>
                  <td className="number">{pointText(series.min[index] ?? null, parameter)}</td>
                  <td className="number">{pointText(series.max[index] ?? null, parameter)}</td>
                </>
              ) : null}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
