// The charts' twin: every point of every line, newest first.
import { useMemo } from "react";
import { clockTime, dateAndTime, preciseClockTime } from "../../format/time";
import { VirtualTable } from "../../table/VirtualTable";
import { pointText } from "../plot/cursor";
import type { ChartLine } from "../plot/lines";
import { severityAt } from "../plot/zones";
import { rowsOf } from "./table";

export function SeriesTable({ lines }: { lines: readonly ChartLine[] }) {
  const rows = useMemo(() => rowsOf(lines), [lines]);
  const names = lines.map((line) => line.parameter.short_name).join(", ");
  const isCoarse = lines.every((line) => line.series.bucketMs >= 1000);
  if (rows.length === 0) return null;
  return (
    <VirtualTable
      label={`Values of ${names}`}
      className="series"
      columns={[
        { name: "when", title: "Generated (UTC)", sort: "descending" },
        ...lines.map(({ parameter }, index) => ({
          name: `number value-${index}`,
          title: <bdi title={parameter.name}>{parameter.short_name}</bdi>,
        })),
      ]}
      count={rows.length}
      rowKey={(index) => rows[index]?.time ?? index}
    >
      {(index) => {
        const row = rows[index];
        if (row === undefined) return null;
        const clock = isCoarse ? clockTime(row.time) : preciseClockTime(row.time);
        return (
          <>
            <th scope="row">
              {dateAndTime(row.time).slice(0, 10)} {clock}
            </th>
            {lines.map((line, place) => (
              <td key={line.parameter.name} className="number">
                <Point line={line} index={row.points[place] ?? -1} />
              </td>
            ))}
          </>
        );
      }}
    </VirtualTable>
  );
}

/** The last value, with the extremes where one point stands for several samples. */
function Point({ line: { parameter, series, limits }, index }: { line: ChartLine; index: number }) {
  if (index < 0) return null;
  const [last, min, max] = [series.last[index] ?? null, series.min[index] ?? null, series.max[index] ?? null];
  const severity = last === null ? null : severityAt(last, limits);
  return (
    <>
      {min === max ? null : (
        <span className="faint">
          {pointText(min, parameter)} … {pointText(max, parameter)}{" "}
        </span>
      )}
      {severity === null ? null : <span className="state serious">{severity} </span>}
      {pointText(last, parameter)}
    </>
  );
}
