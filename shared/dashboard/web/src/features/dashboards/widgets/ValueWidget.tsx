// One parameter in large figures, with the curve that led there.
import { useMemo } from "react";
import { usePlotData } from "../../../telemetry/history";
import type { ParameterDescription } from "../../../types";
import { QualitySymbol } from "../../parameters/QualitySymbol";
import { QualityWord } from "../../parameters/QualityWord";
import { ValueText } from "../../parameters/ValueText";
import { isDrawable } from "../../plot/lines";
import { PlotTable } from "../../plot/PlotTable";
import { parametersOf } from "../layout/opts";
import type { WidgetProps } from "./kinds";
import { Stamp } from "./Stamp";
import { sparkline } from "./sparkline";
import { isUnanswered, Unanswered } from "./Unanswered";
import { Unknown } from "./Unknown";
import { useParameterValues } from "./useParameterValues";
import { ValueTable } from "./ValueTable";

const POINTS = 200;

export function ValueWidget({ mission, name, opts, asTable }: WidgetProps) {
  const names = parametersOf(opts);
  const { known, unknown, shownOf, lackOf, ...answer } = useParameterValues(mission, names);
  if (isUnanswered(answer)) return <Unanswered {...answer} />;
  const [parameter] = known;
  if (parameter === undefined) return <Unknown mission={mission} names={unknown} />;
  const shown = shownOf(parameter.name);
  const lack = lackOf(parameter.name);
  const stale = shown?.stale ?? true;
  if (asTable && !isDrawable(parameter))
    return <ValueTable mission={mission} name={name} parameters={known} shownOf={shownOf} lackOf={lackOf} />;
  return (
    <div className={`value-tile${stale ? " stale" : ""}`}>
      <p className="tile-value">
        <QualitySymbol sample={shown?.sample ?? null} stale={stale} />
        <ValueText parameter={parameter} shown={shown} lack={lack} />
        <span className="faint">{parameter.unit}</span>
        <QualityWord sample={shown?.sample ?? null} />
      </p>
      <Stamp shown={shown} lack={lack} />
      {isDrawable(parameter) ? <Spark mission={mission} parameter={parameter} asTable={asTable} /> : null}
    </div>
  );
}

interface SparkProps {
  mission: string;
  parameter: ParameterDescription;
  asTable: boolean;
}

const WIDTH = 200;
const HEIGHT = 40;

function Spark({ mission, parameter, asTable }: SparkProps) {
  const names = useMemo(() => [parameter.name], [parameter.name]);
  const {
    lines,
    window: { from, to },
  } = usePlotData(mission, names, POINTS);
  const [line] = lines;
  const path = useMemo(
    () => (line === undefined ? "" : sparkline(line, { from, to }, WIDTH, HEIGHT)),
    [line, from, to],
  );
  if (line === undefined) return null;
  if (asTable) return <PlotTable lines={[{ ...line, limits: null }]} />;
  return (
    <svg className="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
