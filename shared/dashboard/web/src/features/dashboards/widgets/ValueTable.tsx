// One parameter and its value as a row of a table: the twin of all that show a value as a picture.
import { Link } from "@tanstack/react-router";
import type { Lack, Shown } from "../../../telemetry/values";
import type { ParameterDescription } from "../../../types";
import { QualitySymbol } from "../../parameters/QualitySymbol";
import { QualityWord } from "../../parameters/QualityWord";
import { ValueText } from "../../parameters/ValueText";
import { Stamp } from "./Stamp";

interface Props {
  mission: string;
  name: string;
  parameters: readonly ParameterDescription[];
  shownOf: (name: string) => Shown | null;
  lackOf: (name: string) => Lack;
}

export function ValueTable({ mission, name, parameters, shownOf, lackOf }: Props) {
  return (
    <div className="widget-scroller">
      <table className="grid" aria-label={`Values of ${name}`}>
        <thead>
          <tr>
            <th scope="col">Parameter</th>
            <th scope="col" className="number">
              Value
            </th>
            <th scope="col">Generated (UTC)</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {parameters.map((parameter) => (
            <ValueRow
              key={parameter.name}
              mission={mission}
              parameter={parameter}
              shown={shownOf(parameter.name)}
              lack={lackOf(parameter.name)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  mission: string;
  parameter: ParameterDescription;
  shown: Shown | null;
  lack: Lack;
}

function ValueRow({ mission, parameter, shown, lack }: RowProps) {
  const { name, short_name: short, unit } = parameter;
  const stale = shown?.stale ?? true;
  return (
    <tr className={stale ? "stale" : undefined}>
      <th scope="row">
        <QualitySymbol sample={shown?.sample ?? null} stale={stale} />{" "}
        <Link to="/m/$mission/explore" params={{ mission }} search={{ p: [name] }} title={name}>
          <bdi>{short}</bdi>
        </Link>
      </th>
      <td className="number col-value">
        <ValueText parameter={parameter} shown={shown} lack={lack} /> <span className="faint">{unit}</span>
      </td>
      <td>
        <Stamp shown={shown} lack={lack} />
      </td>
      <td>
        <QualityWord sample={shown?.sample ?? null} />
      </td>
    </tr>
  );
}
