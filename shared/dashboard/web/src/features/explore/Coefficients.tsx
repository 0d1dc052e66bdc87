// A coefficient for each two parameters; choosing one shows its cloud.
import { useMemo } from "react";
import type { Aligned, ParameterDescription } from "../../types";
import { pairsOf } from "../dashboards/widgets/scatter";
import { coefficientText, correlate } from "./correlation";

interface Props {
  answer: Aligned;
  until: number;
  parameters: readonly ParameterDescription[];
  x: number;
  y: number;
  onPair: (x: number, y: number) => void;
}

export function Coefficients({ answer, until, parameters, x, y, onPair }: Props) {
  const found = useMemo(() => coefficientsOf(answer, until), [answer, until]);
  return (
    <section className="panel scroll-x coefficients" aria-label="Coefficients">
      <table className="grid" aria-label="Coefficients of all pairs">
        <thead>
          <tr>
            <th scope="col">y \ x</th>
            {parameters.map(({ name, short_name }) => (
              <th key={name} scope="col" title={name} className="number">
                <bdi>{short_name}</bdi>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {parameters.map((row, rowPlace) => (
            <tr key={row.name}>
              <th scope="row" title={row.name}>
                <bdi>{row.short_name}</bdi>
              </th>
              {parameters.map((column, place) => (
                <td key={column.name} className="number">
                  {place === rowPlace ? (
                    <span className="faint">1</span>
                  ) : (
                    <button
                      type="button"
                      className="quiet"
                      aria-pressed={place === x && rowPlace === y}
                      title={`${row.short_name} against ${column.short_name}`}
                      onClick={() => onPair(place, rowPlace)}
                    >
                      {coefficientText(found[rowPlace]?.[place] ?? null)}
                    </button>
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function coefficientsOf(answer: Aligned, until: number): (number | null)[][] {
  return answer.columns.map((one) =>
    answer.columns.map(
      (other) => correlate(pairsOf({ ...answer, columns: [one, other] }, until).pairs).coefficient,
    ),
  );
}
