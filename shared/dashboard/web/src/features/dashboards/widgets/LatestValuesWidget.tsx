// Parameters with their newest values and ages.
import { useValues } from "../../../telemetry/values";
import { parametersOf } from "../layout/opts";
import type { WidgetProps } from "./kinds";
import { Unknown } from "./Unknown";
import { useDescriptions } from "./useDescriptions";
import { ValueTable } from "./ValueTable";

export function LatestValuesWidget({ mission, name, opts }: WidgetProps) {
  const names = parametersOf(opts);
  const { known, unknown } = useDescriptions(mission, names);
  const shownOf = useValues(mission, names);
  return (
    <>
      <ValueTable mission={mission} name={name} parameters={known} shownOf={shownOf} />
      <Unknown mission={mission} names={unknown} />
    </>
  );
}
