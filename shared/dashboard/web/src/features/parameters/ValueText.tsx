// One telemetry value: current, or hollow and hatched when it is not.
import { realValue, valueInFull, value as valueText } from "../../format/quantity";
import type { ParameterKind, Sample } from "../../types";

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
      {sample === null ? <span className="faint">no sample</span> : display(sample, kind)}
      {stale && sample !== null ? <span className="visually-hidden"> (stale)</span> : null}
    </span>
  );
}

export function display(sample: Sample, kind: ParameterKind): string {
  return kind === "float" ? realValue(sample.engineering) : valueText(sample.engineering);
}

function inFull(sample: Sample, unit: string | null): string {
  const engineering = `${valueInFull(sample.engineering)}${unit === null ? "" : ` ${unit}`}`;
  return `${engineering}\nraw ${valueInFull(sample.raw)}\ngenerated ${sample.generation_time}\nreceived ${sample.reception_time} at ${sample.node}`;
}
