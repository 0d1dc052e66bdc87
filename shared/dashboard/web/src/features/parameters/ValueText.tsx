// One telemetry value: hollow and hatched when it is not current, in brackets and struck when it is no measurement.
import { realValue, valueInFull, value as valueText } from "../../format/quantity";
import { dateAndTime, parseTime } from "../../format/time";
import type { Lack, Shown } from "../../telemetry/values";
import type { ParameterDescription, ParameterKind, Sample } from "../../types";
import { quality } from "./quality";

interface Props {
  parameter: ParameterDescription;
  shown: Shown | null;
  /** What is said where no value is. */
  lack: Lack;
}

const LACKS: Record<Lack, string> = {
  "no sample": "Nothing received yet",
  "not known": "The server did not say",
  waiting: "The server has not answered yet",
};

export function ValueText({ parameter: { name, kind, unit }, shown, lack }: Props) {
  const sample = shown?.sample ?? null;
  const stale = shown?.stale ?? true;
  return (
    <span
      className="value"
      data-testid="value"
      data-parameter={name}
      data-stale={stale}
      data-kind={kind}
      title={sample === null ? LACKS[lack] : inFull(sample, unit ?? null)}
    >
      {sample === null ? (
        <span className="faint">{lack}</span>
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
