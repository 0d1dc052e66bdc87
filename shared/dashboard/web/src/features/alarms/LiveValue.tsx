// The newest value of an alarm's parameter, current or visibly old: alarms are of now, whatever time the page shows.
import { useMemo } from "react";
import { dateAndTime } from "../../format/time";
import { useLatestValues } from "../../telemetry/values";
import { display, Measured } from "../parameters/ValueText";

interface Props {
  mission: string;
  parameter: string;
}

export function LiveValue({ mission, parameter }: Props) {
  const names = useMemo(() => [parameter], [parameter]);
  const values = useLatestValues(mission, names);
  const value = values.of(parameter);
  if (value === null) return <span className="faint">{values.lackOf(parameter)}</span>;
  const { sample, stale, generatedAt } = value;
  const kind = typeof sample.engineering === "number" ? "float" : "string";
  return (
    <span className={stale ? "faint stale" : "value"} title={`generated ${dateAndTime(generatedAt)}`}>
      <Measured sample={sample} text={display(sample, kind)} />
      {stale ? " (old)" : ""}
    </span>
  );
}
