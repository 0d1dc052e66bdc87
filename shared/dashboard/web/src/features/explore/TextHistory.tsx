// The samples of a parameter that has no curve: text, bytes and moments, newest first.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { pageQuery } from "../../api/queries";
import { count, valueInFull } from "../../format/quantity";
import { dateAndTime, parseTime, preciseClockTime } from "../../format/time";
import { useLive, useTraces } from "../../live/hooks";
import { Failure } from "../../shell/Notice";
import { VirtualTable } from "../../table/VirtualTable";
import { writeMode } from "../../time/mode";
import { useTime, useTimeNow } from "../../time/useTime";
import type { ParameterDescription, Sample } from "../../types";
import { QualityWord } from "../parameters/QualityWord";
import { Measured } from "../parameters/ValueText";

const NONE: readonly string[] = [];

export function TextHistory({ mission, parameter }: { mission: string; parameter: ParameterDescription }) {
  const { name, short_name } = parameter;
  const { mode, now, window: shown } = useTime();
  const timeNow = useTimeNow();
  const live = useLive();
  const isLive = mode.kind === "live";
  useTraces(mission, isLive ? [name] : NONE);
  const trace = isLive ? live.feed.traceOf(mission, name) : null;
  const page = useQuery(
    pageQuery({
      mission,
      parameter: name,
      window: () => timeNow().window,
      windowName: isLive ? mode.span : writeMode({ ...mode, kind: "fixed" }),
      points: 0,
      generation: trace?.generation ?? 0,
    }),
  );
  const version = trace?.version ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version stands for the trace's samples.
  const samples = useMemo(
    () => newestFirst([...(page.data?.samples ?? []), ...(trace?.recent.toArray() ?? [])]),
    [page.data, version],
  );
  const until = isLive ? Number.POSITIVE_INFINITY : now;
  const rows = samples.filter(({ at }) => at >= shown.from && at <= until);
  return (
    <>
      {page.isError ? <Failure error={page.error} onRetry={() => void page.refetch()} /> : null}
      {rows.length === 0 ? (
        page.isPending ? null : (
          <p className="empty">No sample of {short_name} was generated in this range.</p>
        )
      ) : (
        <VirtualTable
          label={`Samples of ${name}`}
          className="texts"
          columns={[
            { name: "when", title: "Generated (UTC)", sort: "descending" },
            { name: "text", title: <bdi>{short_name}</bdi> },
            { name: "node", title: "Station" },
          ]}
          count={rows.length}
          rowKey={(index) => rows[index]?.sample.generation_time ?? index}
        >
          {(index) => {
            const row = rows[index];
            return row === undefined ? null : <Cells {...row} />;
          }}
        </VirtualTable>
      )}
      {page.data?.next ? (
        <p className="faint">
          The first {count(page.data.samples.length)} samples of the range are listed; a shorter range or a
          download has the rest.
        </p>
      ) : null}
    </>
  );
}

function Cells({ sample, at }: { sample: Sample; at: number }) {
  const text = valueInFull(sample.engineering);
  return (
    <>
      <th scope="row">
        {dateAndTime(at).slice(0, 10)} {preciseClockTime(at)}
      </th>
      <td title={text}>
        <bdi>
          <Measured sample={sample} text={text} />
        </bdi>{" "}
        <QualityWord sample={sample} />
      </td>
      <td className="faint">
        <bdi>{sample.node}</bdi>
      </td>
    </>
  );
}

function newestFirst(samples: readonly Sample[]): { sample: Sample; at: number }[] {
  const byTime = new Map(samples.map((sample) => [sample.generation_time, sample]));
  return [...byTime.values()]
    .map((sample) => ({ sample, at: parseTime(sample.generation_time) }))
    .sort((a, b) => b.at - a.at);
}
