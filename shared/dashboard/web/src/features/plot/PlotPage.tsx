// Fetches what a plot needs: the parameter's description, its history, and its live samples.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { parametersQuery } from "../../api/queries";
import { parseTime } from "../../format/time";
import { useFrame, useLive, useTrace } from "../../live/hooks";
import { Failure, Loading } from "../../shell/Notice";
import type { ParameterDescription } from "../../types";
import { PlotView } from "./PlotView";
import { type Range, timeWindow } from "./range";
import { gapLimit, join, pointOf, within } from "./series";
import { TextHistory } from "./TextHistory";
import { useHistory } from "./useHistory";

export interface PlotPageProps {
  mission: string;
  parameter: string;
  range: Range;
  /** Unix milliseconds of a fixed window's end; `null` follows the present. */
  end: number | null;
  onRange: (range: Range) => void;
  onEnd: (end: number | null) => void;
}

export function PlotPage(props: PlotPageProps) {
  const { mission, parameter } = props;
  const parameters = useQuery(parametersQuery(mission));
  if (parameters.data === undefined)
    return parameters.isError ? (
      <Failure error={parameters.error} onRetry={() => void parameters.refetch()} />
    ) : (
      <Loading what="parameter" />
    );
  const description = parameters.data.find((p) => p.name === parameter);
  if (description === undefined)
    return (
      <p className="empty">
        The dictionary of {mission} has no parameter <code>{parameter}</code>.
      </p>
    );
  return <Plot key={`${mission} ${parameter}`} {...props} description={description} />;
}

function Plot({
  mission,
  range,
  end,
  description,
  onRange,
  onEnd,
}: PlotPageProps & { description: ParameterDescription }) {
  const { name, kind } = description;
  const live = useLive();
  const frame = useFrame();
  const [width, setWidth] = useState<number | null>(null);
  useTrace(mission, name);
  const drawable = kind !== "string" && kind !== "binary" && kind !== "time";
  const history = useHistory({
    mission,
    parameter: name,
    range,
    end,
    points: drawable ? roundedWidth(width) : null,
  });

  const latest = live.feed.latestOf(mission, name);
  const newest = latest === null ? null : parseTime(latest.generation_time);
  const shown = timeWindow(range, end, frame.serverNow, newest);
  const trace = live.feed.trace?.parameter === name ? live.feed.trace : null;
  const samples = trace?.recent.toArray() ?? [];
  const series = within(
    join(
      history.data ?? null,
      samples.map((s) => pointOf(s, kind)),
    ),
    shown.from,
    shown.to,
  );

  return (
    <PlotView
      mission={mission}
      parameter={description}
      series={series}
      gapMs={gapLimit(series, latest?.interval_ms ?? null)}
      latest={latest}
      frame={frame}
      window={shown}
      range={range}
      end={end}
      loading={history.isPending && drawable}
      error={history.isError ? history.error : null}
      onRetry={() => void history.refetch()}
      onRange={onRange}
      onEnd={onEnd}
      onWidth={setWidth}
    >
      {drawable ? null : (
        <TextHistory
          mission={mission}
          parameter={name}
          window={shown}
          windowName={end === null ? range : `${range}@${end}`}
          generation={trace?.generation ?? 0}
          live={samples}
        />
      )}
    </PlotView>
  );
}

/** One bucket a pixel, in steps, so that dragging the window's edge does not fetch at every pixel. */
function roundedWidth(width: number | null): number | null {
  return width === null || width === 0 ? null : Math.min(4000, Math.ceil(width / 100) * 100);
}
