// The samples of a parameter that has no curve: text, bytes and times, newest first.
import { useQuery } from "@tanstack/react-query";
import { pageQuery } from "../../api/queries";
import { valueInFull } from "../../format/quantity";
import { dateAndTime, parseTime } from "../../format/time";
import { Failure } from "../../shell/Notice";
import type { Sample } from "../../types";
import { QualityWord } from "../parameters/QualityWord";
import { Measured } from "../parameters/ValueText";
import type { TimeWindow } from "./range";

const ROWS_MAX = 200;

interface Props {
  mission: string;
  parameter: string;
  window: TimeWindow;
  windowName: string;
  generation: number;
  live: readonly Sample[];
}

export function TextHistory({ mission, parameter, window, windowName, generation, live }: Props) {
  const page = useQuery(
    pageQuery({ mission, parameter, windowName, generation, points: 0, window: () => window }),
  );
  const rows = newestFirst([...(page.data?.samples ?? []), ...live]).slice(0, ROWS_MAX);
  return (
    <>
      {page.isError ? <Failure error={page.error} onRetry={() => void page.refetch()} /> : null}
      <table className="grid" aria-label={`Samples of ${parameter}`}>
        <thead>
          <tr>
            <th scope="col">Generated (UTC)</th>
            <th scope="col">Value</th>
            <th scope="col">Station</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((sample) => (
            <tr key={sample.generation_time}>
              <td>{dateAndTime(parseTime(sample.generation_time))}</td>
              <td>
                <Measured sample={sample} text={valueInFull(sample.engineering)} />{" "}
                <QualityWord sample={sample} />
              </td>
              <td className="faint">{sample.node}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

export function newestFirst(samples: readonly Sample[]): Sample[] {
  const byTime = new Map(samples.map((sample) => [sample.generation_time, sample]));
  return [...byTime.values()].sort((a, b) => parseTime(b.generation_time) - parseTime(a.generation_time));
}
