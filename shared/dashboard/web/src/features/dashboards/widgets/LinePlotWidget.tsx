// Parameters over time.
import { useMemo, useState } from "react";
import { useFrame } from "../../../live/hooks";
import { Failure } from "../../../shell/Notice";
import { usePlotData } from "../../../telemetry/history";
import { useTimeMode } from "../../../time/useTime";
import { isDrawable } from "../../plot/lines";
import { PlotTable } from "../../plot/PlotTable";
import { ReadableChart } from "../../plot/ReadableChart";
import { useGaps } from "../../plot/useGaps";
import { useLimits } from "../../plot/useLimits";
import { parametersOf } from "../layout/opts";
import type { WidgetProps } from "./kinds";
import { Unknown } from "./Unknown";
import { useDescriptions } from "./useDescriptions";

/** A table that was never a chart has as many rows as this. */
const TABLE_POINTS = 600;

export function LinePlotWidget({ mission, name, opts, asTable }: WidgetProps) {
  const names = parametersOf(opts);
  const { known, unknown } = useDescriptions(mission, names);
  const [width, setWidth] = useState<number | null>(null);
  const drawable = useMemo(() => known.filter(isDrawable).map((parameter) => parameter.name), [known]);
  const data = usePlotData(mission, drawable, width ?? (asTable ? TABLE_POINTS : null));
  const limitsOf = useLimits(mission);
  const lines = useMemo(
    () => data.lines.map((line) => ({ ...line, limits: limitsOf(line.parameter) })),
    [data.lines, limitsOf],
  );
  const gaps = useGaps(data.lines);
  const { health } = useFrame();
  const { mode } = useTimeMode();
  const text = known.find((parameter) => !isDrawable(parameter));
  return (
    <>
      {data.error === null ? null : <Failure error={data.error} onRetry={data.retry} />}
      {asTable ? (
        <PlotTable lines={lines} />
      ) : (
        <div className="widget-chart">
          <ReadableChart
            name={name}
            lines={lines}
            window={data.window}
            gaps={gaps}
            frozenSince={mode.kind === "live" && health.state !== "live" ? health.frozenAt : null}
            fit={opts.fit === "limits" ? "limits" : "values"}
            onWidth={setWidth}
          />
        </div>
      )}
      {text === undefined ? null : (
        <p className="faint widget-note">
          <bdi>{text.short_name}</bdi> is {text.kind} and has no curve.
        </p>
      )}
      <Unknown mission={mission} names={unknown} />
    </>
  );
}
