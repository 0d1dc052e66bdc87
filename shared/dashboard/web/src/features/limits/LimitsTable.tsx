// All parameters with their limits.
import { VirtualTable } from "../../table/VirtualTable";
import type { ParameterDescription, ParameterLimits } from "../../types";
import { SEVERITIES } from "../alarms/alarm";
import { PathButton } from "../parameters/PathButton";
import { rangeText, usualRange } from "./limits";

const COLUMNS = [
  { name: "l-name", title: "Parameter" },
  { name: "l-unit", title: "Unit" },
  ...SEVERITIES.map((severity) => ({ name: `l-${severity}`, title: `${severity} outside` })),
  { name: "l-source", title: "From" },
];

interface Props {
  mission: string;
  parameters: readonly ParameterDescription[];
  limitsOf: (parameter: string) => ParameterLimits | undefined;
  isChanged: (parameter: string) => boolean;
  opened: string | null;
  onOpen: (parameter: string) => void;
}

export function LimitsTable({ mission, parameters, limitsOf, isChanged, opened, onOpen }: Props) {
  return (
    <VirtualTable
      label={`Limits of ${mission}`}
      className="limits"
      columns={COLUMNS}
      count={parameters.length}
      // A link leads to a parameter far down the list.
      startAt={Math.max(
        0,
        parameters.findIndex(({ name }) => name === opened),
      )}
      rowKey={(index) => parameters[index]?.name ?? index}
      isSelected={(index) => parameters[index]?.name === opened}
    >
      {(index) => {
        const parameter = parameters[index];
        return parameter === undefined ? null : (
          <Cells
            parameter={parameter}
            limits={limitsOf(parameter.name)}
            isChanged={isChanged(parameter.name)}
            isOpened={parameter.name === opened}
            onOpen={onOpen}
          />
        );
      }}
    </VirtualTable>
  );
}

interface CellsProps {
  parameter: ParameterDescription;
  limits: ParameterLimits | undefined;
  isChanged: boolean;
  isOpened: boolean;
  onOpen: (parameter: string) => void;
}

function Cells({ parameter, limits, isChanged, isOpened, onOpen }: CellsProps) {
  const { name } = parameter;
  const contexts = limits?.contexts.length ?? 0;
  return (
    <>
      <th scope="row" className="l-name" title={name}>
        <PathButton path={name} isPressed={isOpened} onPress={() => onOpen(name)} />
        {isChanged ? <span className="tag">changed</span> : null}
      </th>
      <td className="l-unit faint">{parameter.unit}</td>
      {SEVERITIES.map((severity) => {
        const range = usualRange(limits, severity);
        return <td key={severity}>{range === undefined ? "" : rangeText(range)}</td>;
      })}
      <td className="l-source faint">
        {limits === undefined ? "no limits" : limits.source === "overlay" ? "set here" : "dictionary"}
        {contexts > 1 ? `, ${contexts} conditions` : ""}
      </td>
    </>
  );
}
