// Many parameters at a glance: of each its symbol, its name, and in a word how it stands to its limits.
import { Link } from "@tanstack/react-router";
import type { Lack, Shown } from "../../../telemetry/values";
import type { ParameterDescription } from "../../../types";
import { QualitySymbol } from "../../parameters/QualitySymbol";
import { quality } from "../../parameters/quality";
import { ValueText } from "../../parameters/ValueText";
import { parametersOf } from "../layout/opts";
import type { WidgetProps } from "./kinds";
import { Stamp } from "./Stamp";
import { isUnanswered, Unanswered } from "./Unanswered";
import { Unknown } from "./Unknown";
import { useParameterValues } from "./useParameterValues";
import { ValueTable } from "./ValueTable";

export function StatusMatrixWidget({ mission, name, opts, asTable }: WidgetProps) {
  const names = parametersOf(opts);
  const { known, unknown, shownOf, lackOf, ...answer } = useParameterValues(mission, names);
  if (isUnanswered(answer)) return <Unanswered {...answer} />;
  if (asTable)
    return <ValueTable mission={mission} name={name} parameters={known} shownOf={shownOf} lackOf={lackOf} />;
  return (
    <>
      <ul className="status-cells" aria-label={`States of ${name}`}>
        {known.map((parameter) => (
          <Cell
            key={parameter.name}
            mission={mission}
            parameter={parameter}
            shown={shownOf(parameter.name)}
            lack={lackOf(parameter.name)}
          />
        ))}
      </ul>
      <Unknown mission={mission} names={unknown} />
    </>
  );
}

interface CellProps {
  mission: string;
  parameter: ParameterDescription;
  shown: Shown | null;
  lack: Lack;
}

function Cell({ mission, parameter, shown, lack }: CellProps) {
  const stale = shown?.stale ?? true;
  const { status, word } = shown === null ? { status: "off" as const, word: lack } : quality(shown.sample);
  return (
    <li className={`status-cell ${status ?? ""}${stale ? " stale" : ""}`}>
      <Link
        to="/m/$mission/explore"
        params={{ mission }}
        search={{ p: [parameter.name] }}
        title={parameter.name}
      >
        <QualitySymbol sample={shown?.sample ?? null} stale={stale} /> <bdi>{parameter.short_name}</bdi>
      </Link>
      <span className="status-value">
        <ValueText parameter={parameter} shown={shown} lack={lack} />{" "}
        <span className="faint">{parameter.unit}</span>
      </span>
      <span className={status === null ? "faint" : `state ${status}`}>{word}</span>
      <Stamp shown={shown} lack={lack} />
    </li>
  );
}
