// The parameters that are looked at, each with its value at the time shown and how old that is.
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { age, dateAndTime } from "../../format/time";
import { Failure } from "../../shell/Notice";
import { type Lack, type Shown, useValues } from "../../telemetry/values";
import type { ParameterDescription } from "../../types";
import { QualitySymbol } from "../parameters/QualitySymbol";
import { QualityWord } from "../parameters/QualityWord";
import { ValueText } from "../parameters/ValueText";

interface Props {
  mission: string;
  parameters: readonly ParameterDescription[];
  onRemove: (name: string) => void;
}

export function ValueTiles({ mission, parameters, onRemove }: Props) {
  const names = useMemo(() => parameters.map((parameter) => parameter.name), [parameters]);
  const values = useValues(mission, names);
  return (
    <>
      {values.error === null ? null : <Failure error={values.error} onRetry={values.retry} />}
      <ul className="value-tiles" aria-label="Parameters">
        {parameters.map((parameter) => (
          <li key={parameter.name}>
            <Tile
              mission={mission}
              parameter={parameter}
              shown={values.of(parameter.name)}
              lack={values.lackOf(parameter.name)}
              onRemove={onRemove}
            />
          </li>
        ))}
      </ul>
    </>
  );
}

interface TileProps {
  mission: string;
  parameter: ParameterDescription;
  shown: Shown | null;
  lack: Lack;
  onRemove: (name: string) => void;
}

function Tile({ mission, parameter, shown, lack, onRemove }: TileProps) {
  const { name, short_name } = parameter;
  const stale = shown?.stale ?? true;
  const sample = shown?.sample ?? null;
  return (
    <section className={`panel tile${stale ? " stale" : ""}`} aria-label={`Value of ${short_name}`}>
      <header>
        <strong title={parameter.description ? `${name}\n${parameter.description}` : name}>
          <bdi>{short_name}</bdi>
        </strong>
        <Link to="/m/$mission/limits" params={{ mission }} search={{ parameter: name }}>
          Limits
        </Link>
        <button
          type="button"
          className="quiet remove"
          aria-label={`Remove ${short_name}`}
          title={`Remove ${name}`}
          onClick={() => onRemove(name)}
        >
          ×
        </button>
      </header>
      <p className="tile-value">
        <QualitySymbol sample={sample} stale={stale} />
        <ValueText parameter={parameter} shown={shown} lack={lack} />
        <span className="faint">{parameter.unit}</span>
        <QualityWord sample={sample} />
        {stale && sample !== null ? <span className="state serious">stale</span> : null}
      </p>
      <p className="faint">
        {shown === null ? (
          lack === "no sample" && "nothing received by then"
        ) : (
          <>
            {dateAndTime(shown.generatedAt)} · {age(shown.age)} · <bdi>{sample?.node}</bdi>
          </>
        )}
      </p>
    </section>
  );
}
