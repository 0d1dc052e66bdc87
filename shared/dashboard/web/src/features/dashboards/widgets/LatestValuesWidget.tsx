// Parameters with their newest values and ages.
import { parametersOf } from "../layout/opts";
import type { WidgetProps } from "./kinds";
import { isUnanswered, Unanswered } from "./Unanswered";
import { Unknown } from "./Unknown";
import { useParameterValues } from "./useParameterValues";
import { ValueTable } from "./ValueTable";

export function LatestValuesWidget({ mission, name, opts }: WidgetProps) {
  const names = parametersOf(opts);
  const { known, unknown, shownOf, lackOf, ...answer } = useParameterValues(mission, names);
  if (isUnanswered(answer)) return <Unanswered {...answer} />;
  return (
    <>
      <ValueTable mission={mission} name={name} parameters={known} shownOf={shownOf} lackOf={lackOf} />
      <Unknown mission={mission} names={unknown} />
    </>
  );
}
