// Many parameters at a glance: of each its symbol, its name, and in a word how it stands to its limits.
import { Link } from "@tanstack/react-router";
import type { Shown } from "../../../telemetry/values";
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
  const { known, unknown, shownOf, ...answer } = useParameterValues(mission, names);
  if (isUnanswered(answer)) return <Unanswered {...answer} />;
  if (asTable) return <ValueTable mission={mission} name={name} parameters={known} shownOf={shownOf} />;
  return (
    <>
      <ul className="status-cells" aria-label={`States of ${name}`}>
        {known.map((parameter) => (
          <Cell
            key={parameter.name}
            mission={mission}
            parameter={parameter}
            shown={shownOf(parameter.name)}
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
}

function Cell({ mission, parameter, shown }: CellProps) {
  const stale = shown?.stale ?? true;
  const { status, word } =
    shown === null ? { status: "off" as const, word: "no sample" } : quality(shown.sample);
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
        <ValueText
          parameter={parameter.name}
          kind={parameter.kind}
          unit={parameter.unit ?? null}
          sample={shown?.sample ?? null}
          stale={stale}
        />{" "}
        <span className="faint">{parameter.unit}</span>
      </span>
      <span className={status === null ? "faint" : `state ${status}`}>{word}</span>
      <Stamp shown={shown} />
    </li>
  );
}
