// Parameters against each other: a coefficient for each two of them, and the cloud of one pair.
import { useQuery } from "@tanstack/react-query";
import { memo, useMemo } from "react";
import { alignedQuery } from "../../api/dashboards";
import { realValue } from "../../format/quantity";
import { dateAndTime, duration } from "../../format/time";
import { Failure, Loading } from "../../shell/Notice";
import { VirtualTable } from "../../table/VirtualTable";
import { writeMode } from "../../time/mode";
import { useTime, useTimeNow } from "../../time/useTime";
import type { Aligned, ParameterDescription } from "../../types";
import { Cloud } from "../dashboards/widgets/ScatterWidget";
import { type Pair, pairsOf } from "../dashboards/widgets/scatter";
import { pointText } from "../plot/cursor";
import { isDrawable } from "../plot/lines";
import { Coefficients } from "./Coefficients";
import { coefficientText, correlate, strength } from "./correlation";

const CELLS = 500;
const SteadyCloud = memo(Cloud);

interface Props {
  mission: string;
  parameters: readonly ParameterDescription[];
  /** Places of the two whose cloud is shown. */
  pair: [x: number, y: number];
  asTable: boolean;
  onPair: (x: number, y: number) => void;
}

export function Correlate({ mission, parameters, pair, asTable, onPair }: Props) {
  const { mode, now } = useTime();
  const timeNow = useTimeNow();
  const drawable = parameters.filter(isDrawable);
  const answer = useQuery({
    ...alignedQuery({
      mission,
      parameters: drawable.map(({ name }) => name),
      window: () => timeNow().window,
      windowName: writeMode(mode.kind === "replay" ? { ...mode, kind: "fixed" } : mode),
      points: CELLS,
      isLive: mode.kind === "live",
    }),
    enabled: drawable.length >= 2,
  });
  // A cell that a replay has not come to the end of has samples in it that were not there yet.
  const until =
    mode.kind === "replay"
      ? Math.floor(now / 1000) * 1000 - (answer.data?.step_ms ?? 0)
      : Number.POSITIVE_INFINITY;
  if (drawable.length < 2)
    return <p className="empty">Choose two parameters with numbers to see how they go together.</p>;
  if (answer.isError) return <Failure error={answer.error} onRetry={() => void answer.refetch()} />;
  if (answer.data === undefined) return <Loading what="values" />;
  const [x, y] = placesOf(parameters, drawable, pair);
  return (
    <Shown
      answer={answer.data}
      until={until}
      parameters={drawable}
      x={x}
      y={y}
      asTable={asTable}
      onPair={(one, other) =>
        onPair(placeOf(parameters, drawable[one]), placeOf(parameters, drawable[other]))
      }
    />
  );
}

/** Places in the address count all parameters, here only those with numbers. */
function placesOf(
  all: readonly ParameterDescription[],
  drawable: readonly ParameterDescription[],
  [x, y]: readonly [number, number],
): [number, number] {
  const [one, other] = [x, y].map((place) => drawable.findIndex(({ name }) => name === all[place]?.name));
  return one === undefined || other === undefined || one < 0 || other < 0 ? [0, 1] : [one, other];
}

function placeOf(all: readonly ParameterDescription[], parameter: ParameterDescription | undefined): number {
  return all.findIndex(({ name }) => name === parameter?.name);
}

interface ShownProps {
  answer: Aligned;
  until: number;
  parameters: readonly ParameterDescription[];
  x: number;
  y: number;
  asTable: boolean;
  onPair: (x: number, y: number) => void;
}

function Shown({ answer, until, parameters, x, y, asTable, onPair }: ShownProps) {
  const { pairs, beyond } = useMemo(() => pairsAt(answer, x, y, until), [answer, x, y, until]);
  const found = useMemo(() => correlate(pairs), [pairs]);
  const [one, other] = [parameters[x], parameters[y]];
  if (one === undefined || other === undefined) return null;
  return (
    <div className="correlate">
      <section className="panel cloud-panel" aria-label={`${other.short_name} against ${one.short_name}`}>
        <p className="coefficient">
          <strong>r = {coefficientText(found.coefficient)}</strong> <span>{strength(found.coefficient)}</span>
          {found.slope === null ? null : (
            <span className="faint">
              y = {realValue(found.slope)} x {found.intercept !== null && found.intercept < 0 ? "−" : "+"}{" "}
              {realValue(Math.abs(found.intercept ?? 0))}
            </span>
          )}
          <span className="grow" />
          <button type="button" onClick={() => onPair(y, x)}>
            Swap axes
          </button>
        </p>
        {asTable ? (
          <Pairs pairs={pairs} x={one} y={other} />
        ) : (
          <SteadyCloud x={one} y={other} pairs={pairs} />
        )}
        <p className="faint">
          {found.pairs} pairs, each the means of {duration(answer.step_ms)}
          {pairs.length > 0
            ? `, ${dateAndTime(pairs[0]?.time ?? 0)} – ${dateAndTime(pairs.at(-1)?.time ?? 0)}`
            : ""}
          {beyond > 0 ? ` · ${beyond} pairs are beyond any axis and left out` : ""}
        </p>
      </section>
      {parameters.length > 2 ? (
        <Coefficients answer={answer} until={until} parameters={parameters} x={x} y={y} onPair={onPair} />
      ) : null}
    </div>
  );
}

function pairsAt(answer: Aligned, x: number, y: number, until: number) {
  const columns = [answer.columns[x], answer.columns[y]].filter((column) => column !== undefined);
  return pairsOf({ ...answer, columns }, until);
}

interface PairsProps {
  pairs: readonly Pair[];
  x: ParameterDescription;
  y: ParameterDescription;
}

function Pairs({ pairs, x, y }: PairsProps) {
  const rows = useMemo(() => pairs.toReversed(), [pairs]);
  return (
    <VirtualTable
      label={`Pairs of ${x.short_name} and ${y.short_name}`}
      className="series"
      columns={[
        { name: "when", title: "From (UTC)", sort: "descending" },
        { name: "number x", title: <bdi>{x.short_name}</bdi> },
        { name: "number y", title: <bdi>{y.short_name}</bdi> },
      ]}
      count={rows.length}
      rowKey={(index) => rows[index]?.time ?? index}
    >
      {(index) => {
        const row = rows[index];
        return row === undefined ? null : (
          <>
            <th scope="row">{dateAndTime(row.time)}</th>
            <td className="number">{pointText(row.x, x)}</td>
            <td className="number">{pointText(row.y, y)}</td>
          </>
        );
      }}
    </VirtualTable>
  );
}
