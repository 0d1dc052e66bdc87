// The list of parameters with their newest values. Only the rows in sight are in the document.
import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import { age, clockTime, dateAndTime } from "../../format/time";
import type { Frame } from "../../live/client";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { ParameterDescription, Sample } from "../../types";
import { QualityWord } from "./QualityWord";
import { quality } from "./quality";
import { freshness } from "./staleness";
import { ValueText } from "./ValueText";

const ROW_HEIGHT = 30;
/** Rows are subscribed in blocks, so that scrolling by a row does not change the subscription. */
const BLOCK = 50;

interface Props {
  mission: string;
  parameters: readonly ParameterDescription[];
  latestOf: (parameter: string) => Sample | null;
  frame: Frame;
  onRange: (first: number, end: number) => void;
}

export function ParameterTable({ mission, parameters, latestOf, frame, onRange }: Props) {
  const scroller = useRef<HTMLElement>(null);
  const rows = useVirtualizer({
    count: parameters.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 10,
  });
  const shown = rows.getVirtualItems();
  const first = Math.floor((shown[0]?.index ?? 0) / BLOCK) * BLOCK;
  const end = Math.ceil(((shown.at(-1)?.index ?? 0) + 1) / BLOCK) * BLOCK;
  useEffect(() => onRange(first, end), [onRange, first, end]);

  return (
    <section
      className="panel table-scroller"
      ref={scroller}
      aria-label={`Parameters of ${mission}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard.
      tabIndex={0}
    >
      <table className="grid parameters" aria-rowcount={parameters.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col" className="col-state">
              State
            </th>
            <th scope="col" className="col-name">
              Parameter
            </th>
            <th scope="col" className="col-value number">
              Value
            </th>
            <th scope="col" className="col-unit">
              Unit
            </th>
            <th scope="col" className="col-time">
              Generated (UTC)
            </th>
            <th scope="col" className="col-age number">
              Age
            </th>
            <th scope="col" className="col-node">
              Station
            </th>
            <th scope="col" className="col-text">
              Description
            </th>
          </tr>
        </thead>
        <Spacer height={shown[0]?.start ?? 0} />
        <tbody>
          {shown.map((row) => {
            const parameter = parameters[row.index];
            if (parameter === undefined) return null;
            return (
              <ParameterRow
                key={parameter.name}
                mission={mission}
                index={row.index + 2}
                parameter={parameter}
                sample={latestOf(parameter.name)}
                frame={frame}
              />
            );
          })}
        </tbody>
        <Spacer height={rows.getTotalSize() - (shown.at(-1)?.end ?? 0)} />
      </table>
    </section>
  );
}

function Spacer({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tbody aria-hidden="true">
      <tr style={{ height }} />
    </tbody>
  );
}

interface RowProps {
  mission: string;
  index: number;
  parameter: ParameterDescription;
  sample: Sample | null;
  frame: Frame;
}

function ParameterRow({ mission, index, parameter, sample, frame }: RowProps) {
  const fresh = sample === null ? null : freshness(sample, frame);
  const stale = fresh?.stale ?? true;
  const folder = parameter.name.slice(0, parameter.name.length - parameter.short_name.length);
  return (
    <tr aria-rowindex={index} className={stale ? "stale" : undefined}>
      <td className="col-state">
        <StatusSymbol status={sample === null ? "off" : quality(sample).status} hollow={stale} />{" "}
        <QualityWord sample={sample} />
        <span className="visually-hidden">
          {sample === null ? "no sample" : stale ? " stale" : " current"}
        </span>
      </td>
      <th scope="row" className="col-name">
        <Link
          to="/m/$mission/p"
          params={{ mission }}
          search={{ parameter: parameter.name, range: "15m" }}
          title={parameter.name}
        >
          <span className="faint">{folder}</span>
          {parameter.short_name}
        </Link>
      </th>
      <td className="col-value number">
        <ValueText
          parameter={parameter.name}
          kind={parameter.kind}
          unit={parameter.unit ?? null}
          sample={sample}
          stale={stale}
        />
      </td>
      <td className="col-unit faint">{parameter.unit}</td>
      <td className="col-time">
        {fresh === null ? (
          ""
        ) : (
          <time title={sample?.generation_time}>{shortTime(fresh.generatedAt, fresh.age)}</time>
        )}
      </td>
      <td className="col-age number">{fresh === null ? "" : age(fresh.age)}</td>
      <td className="col-node faint">{sample?.node}</td>
      <td className="col-text faint" title={parameter.description ?? undefined}>
        {parameter.description}
      </td>
    </tr>
  );
}

/** The date is left out only where it cannot be mistaken. */
function shortTime(at: number, howOld: number): string {
  return Math.abs(howOld) < 12 * 3_600_000 ? clockTime(at) : dateAndTime(at);
}
