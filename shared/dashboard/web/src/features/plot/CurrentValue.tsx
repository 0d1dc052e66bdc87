// The parameter's newest value, large, with its age.
import { age, dateAndTime } from "../../format/time";
import type { Frame } from "../../live/client";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { ParameterDescription, Sample } from "../../types";
import { QualityWord } from "../parameters/QualityWord";
import { quality } from "../parameters/quality";
import { freshness } from "../parameters/staleness";
import { ValueText } from "../parameters/ValueText";

interface Props {
  parameter: ParameterDescription;
  sample: Sample | null;
  frame: Frame;
}

export function CurrentValue({ parameter, sample, frame }: Props) {
  const fresh = sample === null ? null : freshness(sample, frame);
  const stale = fresh?.stale ?? true;
  const unit = parameter.unit ?? null;
  return (
    <section className={`panel tile${stale ? " stale" : ""}`} aria-label="Current value">
      <p className="tile-value">
        <StatusSymbol status={sample === null ? "off" : quality(sample).status} hollow={stale} />
        <ValueText
          parameter={parameter.name}
          kind={parameter.kind}
          unit={unit}
          sample={sample}
          stale={stale}
        />
        <span className="faint">{unit}</span>
        <QualityWord sample={sample} />
        {stale && sample !== null ? <span className="state serious">stale</span> : null}
      </p>
      <p className="faint">
        {fresh === null ? (
          "nothing received yet"
        ) : (
          <>
            {dateAndTime(fresh.generatedAt)} · {age(fresh.age)} · {sample?.node}
          </>
        )}
      </p>
    </section>
  );
}
