// One telemetry value: hollow and hatched when it is not current, in brackets and struck when it is no measurement.
import { realValue, valueInFull, value as valueText } from "../../format/quantity";
import { dateAndTime, parseTime } from "../../format/time";
import type { ParameterKind, Sample } from "../../types";
import { quality } from "./quality";

interface Props {
  parameter: string;
  kind: ParameterKind;
  unit: string | null;
  sample: Sample | null;
  stale: boolean;
}

export function ValueText({ parameter, kind, unit, sample, stale }: Props) {
  return (
    <span
      className="value"
      data-testid="value"
      data-parameter={parameter}
      data-stale={stale}
      data-kind={kind}
      title={sample === null ? "Nothing received yet" : inFull(sample, unit)}
    >
      {sample === null ? (
        <span className="faint">no sample</span>
      ) : (
        <Measured sample={sample} text={display(sample, kind)} />
      )}
      {stale && sample !== null ? <span className="visually-hidden"> (stale)</span> : null}
    </span>
  );
}

/** What is no measurement never looks like one. */
export function Measured({ sample, text }: { sample: Sample; text: string }) {
  const { invalid } = quality(sample);
  if (invalid === null) return text;
  return (
    <span className="no-measurement" data-testid="invalid">
      [{sample.engineering === null ? text : <s>{text}</s>}]
      <span className="visually-hidden"> (invalid: {invalid})</span>
    </span>
  );
}

export function display(sample: Sample, kind: ParameterKind): string {
  if (kind === "time" && typeof sample.engineering === "string")
    return dateAndTime(parseTime(sample.engineering));
  return kind === "float" ? realValue(sample.engineering) : valueText(sample.engineering);
}

function inFull(sample: Sample, unit: string | null): string {
  const engineering = `${valueInFull(sample.engineering)}${unit === null ? "" : ` ${unit}`}`;
  const { invalid } = quality(sample);
  const standing = invalid === null ? `limits: ${sample.monitoring}` : `invalid: ${invalid}`;
  return `${engineering}\n${standing}\nread by dictionary version ${sample.dictionary_version}\nraw ${valueInFull(sample.raw)}\ngenerated ${sample.generation_time}\nreceived ${sample.reception_time} at ${sample.node}`;
}
