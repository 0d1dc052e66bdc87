// One number on a half circle with its limits: yellow and red stretches, of which red is also thicker.

import { pointOf } from "../../../telemetry/series";
import { statusOf } from "../../alarms/alarm";
import { QualityWord } from "../../parameters/QualityWord";
import { ValueText } from "../../parameters/ValueText";
import { valueLabels } from "../../plot/cursor";
import { STATUS_COLOUR } from "../../plot/draw";
import { useLimits } from "../../plot/useLimits";
import { numberOf, parametersOf } from "../layout/opts";
import { arc, CENTRE, gaugeScale, partOf, pointAt, RADIUS } from "./gauge";
import type { WidgetProps } from "./kinds";
import { Stamp } from "./Stamp";
import { isUnanswered, Unanswered } from "./Unanswered";
import { Unknown } from "./Unknown";
import { useParameterValues } from "./useParameterValues";
import { ValueTable } from "./ValueTable";

export function GaugeWidget({ mission, name, opts, asTable }: WidgetProps) {
  const names = parametersOf(opts);
  const { known, unknown, shownOf, lackOf, ...answer } = useParameterValues(mission, names);
  const limitsOf = useLimits(mission);
  if (isUnanswered(answer)) return <Unanswered {...answer} />;
  const [parameter] = known;
  if (parameter === undefined) return <Unknown mission={mission} names={unknown} />;
  if (asTable)
    return <ValueTable mission={mission} name={name} parameters={known} shownOf={shownOf} lackOf={lackOf} />;
  const shown = shownOf(parameter.name);
  const lack = lackOf(parameter.name);
  const stale = shown?.stale ?? true;
  const limits = limitsOf(parameter);
  const value = shown === null ? null : pointOf(shown.sample, parameter.kind).value;
  const scale = gaugeScale(numberOf(opts, "low"), numberOf(opts, "high"), limits, value);
  const [first = "", last = ""] = valueLabels(scale);
  const needle = value === null ? null : pointAt(partOf(value, scale), RADIUS - 14);
  return (
    <div className={`gauge${stale ? " stale" : ""}`}>
      <svg viewBox="0 0 200 112" aria-hidden="true" focusable="false">
        <path className="gauge-scale" d={arc(0, 1, RADIUS)} />
        {limits?.zones.map(({ from, to, severity }) => {
          const [start, end] = [partOf(from, scale), partOf(to, scale)];
          if (end <= start) return null;
          const status = statusOf(severity);
          return (
            <path
              key={`${from} ${to}`}
              className={`gauge-zone ${status}`}
              d={arc(start, end, RADIUS)}
              style={{ stroke: `var(${STATUS_COLOUR[status]})` }}
            />
          );
        })}
        {needle === null ? null : (
          <path className="gauge-needle" d={`M${CENTRE.x} ${CENTRE.y}L${needle.x} ${needle.y}`} />
        )}
        <circle className="gauge-hub" cx={CENTRE.x} cy={CENTRE.y} r="4" />
        <text x="14" y="108">
          {first}
        </text>
        <text x="186" y="108" textAnchor="end">
          {last}
        </text>
      </svg>
      <p className="tile-value">
        <ValueText parameter={parameter} shown={shown} lack={lack} />
        <span className="faint">{parameter.unit}</span>
        <QualityWord sample={shown?.sample ?? null} />
      </p>
      <Stamp shown={shown} lack={lack} />
      {limits?.isPartial ? (
        <p className="faint widget-note">Under a condition other limits count, which are not drawn.</p>
      ) : null}
    </div>
  );
}
