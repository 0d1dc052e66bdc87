// All parameters with their limits; only the rows in sight are in the document.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import type { ParameterDescription, ParameterLimits } from "../../types";
import { SEVERITIES } from "../alarms/alarm";
import { Spacer } from "../stations/Spacer";
import { rangeText, usualRange } from "./limits";

const ROW_HEIGHT = 30;

interface Props {
  mission: string;
  parameters: readonly ParameterDescription[];
  limitsOf: (parameter: string) => ParameterLimits | undefined;
  isChanged: (parameter: string) => boolean;
  opened: string | null;
  onOpen: (parameter: string) => void;
}

export function LimitsTable({ mission, parameters, limitsOf, isChanged, opened, onOpen }: Props) {
  const scroller = useRef<HTMLElement>(null);
  const rows = useVirtualizer({
    count: parameters.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 10,
  });
  // A link leads to a parameter far down the list.
  const first = useRef(parameters.findIndex(({ name }) => name === opened));
  useEffect(() => {
    if (first.current > 0) rows.scrollToIndex(first.current, { align: "center" });
    first.current = -1;
  }, [rows]);
  const inSight = rows.getVirtualItems();
  return (
    <section
      className="panel table-scroller"
      ref={scroller}
      aria-label={`Limits of ${mission}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard.
      tabIndex={0}
    >
      <table className="grid limits" aria-rowcount={parameters.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col" className="l-name">
              Parameter
            </th>
            <th scope="col" className="l-unit">
              Unit
            </th>
            {SEVERITIES.map((severity) => (
              <th key={severity} scope="col">
                {severity} outside
              </th>
            ))}
            <th scope="col" className="l-source">
              From
            </th>
          </tr>
        </thead>
        <Spacer height={inSight[0]?.start ?? 0} />
        <tbody>
          {inSight.map(({ index }) => {
            const parameter = parameters[index];
            return parameter === undefined ? null : (
              <Row
                key={parameter.name}
                index={index + 2}
                parameter={parameter}
                limits={limitsOf(parameter.name)}
                isChanged={isChanged(parameter.name)}
                isOpened={parameter.name === opened}
                onOpen={onOpen}
              />
            );
          })}
        </tbody>
        <Spacer height={rows.getTotalSize() - (inSight.at(-1)?.end ?? 0)} />
      </table>
    </section>
  );
}

interface RowProps {
  index: number;
  parameter: ParameterDescription;
  limits: ParameterLimits | undefined;
  isChanged: boolean;
  isOpened: boolean;
  onOpen: (parameter: string) => void;
}

function Row({ index, parameter, limits, isChanged, isOpened, onOpen }: RowProps) {
  const { name, short_name: short } = parameter;
  const contexts = limits?.contexts.length ?? 0;
  return (
    <tr aria-rowindex={index} data-opened={isOpened}>
      <th scope="row" className="l-name" title={name}>
        <button type="button" className="subject" aria-pressed={isOpened} onClick={() => onOpen(name)}>
          <bdi>
            <span className="faint folder">{name.slice(0, name.length - short.length)}</span>
            <span className="leaf">{short}</span>
          </bdi>
        </button>
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
    </tr>
  );
}
