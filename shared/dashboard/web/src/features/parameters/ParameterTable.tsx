// The list of parameters with their values at the time shown. Only the rows in sight are in the document.
import { Link } from "@tanstack/react-router";
import { useCallback } from "react";
import { age, clockTime, dateAndTime } from "../../format/time";
import { type Column, VirtualTable } from "../../table/VirtualTable";
import type { Lack, Shown } from "../../telemetry/values";
import type { ParameterDescription } from "../../types";
import { QualitySymbol } from "./QualitySymbol";
import { QualityWord } from "./QualityWord";
import { ValueText } from "./ValueText";

/** Rows are subscribed in blocks, so that scrolling by a row does not change the subscription. */
const BLOCK = 50;

const COLUMNS: readonly Column[] = [
  { name: "col-pick", title: <span className="visually-hidden">Selected</span> },
  { name: "col-state", title: "State" },
  { name: "col-name", title: "Parameter" },
  { name: "col-value number", title: "Value" },
  { name: "col-unit", title: "Unit" },
  { name: "col-time", title: "Generated (UTC)" },
  { name: "col-age number", title: "Age" },
  { name: "col-node", title: "Station" },
  { name: "col-text", title: "Description" },
];

interface Props {
  mission: string;
  parameters: readonly ParameterDescription[];
  lookUp: (parameter: string) => Shown | null;
  lackOf: (parameter: string) => Lack;
  picked: ReadonlySet<string>;
  onPick: (parameter: string) => void;
  onRange: (first: number, end: number) => void;
}

export function ParameterTable({ mission, parameters, lookUp, lackOf, picked, onPick, onRange }: Props) {
  const onRows = useCallback(
    (first: number, end: number) =>
      onRange(Math.floor(first / BLOCK) * BLOCK, Math.ceil(Math.max(1, end) / BLOCK) * BLOCK),
    [onRange],
  );
  return (
    <VirtualTable
      label={`Parameters of ${mission}`}
      className="parameters"
      columns={COLUMNS}
      count={parameters.length}
      rowKey={(index) => parameters[index]?.name ?? index}
      rowClass={(index) => ((lookUp(parameters[index]?.name ?? "")?.stale ?? true) ? "stale" : undefined)}
      onRange={onRows}
      onKey={(key, index) => {
        const parameter = parameters[index];
        if (key !== "x" || parameter === undefined) return false;
        onPick(parameter.name);
        return true;
      }}
    >
      {(index) => {
        const parameter = parameters[index];
        return parameter === undefined ? null : (
          <Cells
            mission={mission}
            parameter={parameter}
            shown={lookUp(parameter.name)}
            lack={lackOf(parameter.name)}
            isPicked={picked.has(parameter.name)}
            onPick={onPick}
          />
        );
      }}
    </VirtualTable>
  );
}

interface CellsProps {
  mission: string;
  parameter: ParameterDescription;
  shown: Shown | null;
  lack: Lack;
  isPicked: boolean;
  onPick: (parameter: string) => void;
}

function Cells({ mission, parameter, shown, lack, isPicked, onPick }: CellsProps) {
  const { name, short_name, description } = parameter;
  const sample = shown?.sample ?? null;
  const stale = shown?.stale ?? true;
  const folder = name.slice(0, name.length - short_name.length);
  return (
    <>
      <td className="col-pick">
        <input
          type="checkbox"
          aria-label={`Select ${short_name}`}
          title="Select it for Explore (x)"
          checked={isPicked}
          onChange={() => onPick(name)}
        />
      </td>
      <td className="col-state">
        <QualitySymbol sample={sample} stale={stale} /> <QualityWord sample={sample} />
        <span className="visually-hidden">{sample === null ? lack : stale ? " stale" : " current"}</span>
      </td>
      <th scope="row" className="col-name">
        <Link to="/m/$mission/explore" params={{ mission }} search={{ p: [name] }} title={name}>
          <bdi className="faint">{folder}</bdi>
          <bdi>{short_name}</bdi>
        </Link>
      </th>
      <td className="col-value number">
        <ValueText parameter={parameter} shown={shown} lack={lack} />
      </td>
      <td className="col-unit faint">{parameter.unit}</td>
      <td className="col-time">
        {shown === null ? (
          ""
        ) : (
          <time title={shown.sample.generation_time}>{shortTime(shown.generatedAt, shown.age)}</time>
        )}
      </td>
      <td className="col-age number">{shown === null ? "" : age(shown.age)}</td>
      <td className="col-node faint">
        <bdi>{sample?.node}</bdi>
      </td>
      <td className="col-text faint" title={description ?? undefined}>
        <bdi>{description}</bdi>
      </td>
    </>
  );
}

/** The date is left out only where it cannot be mistaken. */
function shortTime(at: number, howOld: number): string {
  return Math.abs(howOld) < 12 * 3_600_000 ? clockTime(at) : dateAndTime(at);
}
