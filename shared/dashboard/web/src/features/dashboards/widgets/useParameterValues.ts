// What a widget that shows values needs to know of its parameters: their descriptions, and their values at the time shown.
import { useValues, type Values } from "../../../telemetry/values";
import { type Descriptions, useDescriptions } from "./useDescriptions";

export interface ParameterValues extends Descriptions {
  shownOf: Values["of"];
  lackOf: Values["lackOf"];
}

export function useParameterValues(mission: string, names: readonly string[]): ParameterValues {
  const descriptions = useDescriptions(mission, names);
  const values = useValues(mission, names);
  return {
    ...descriptions,
    shownOf: values.of,
    lackOf: values.lackOf,
    error: descriptions.error ?? values.error,
    retry: () => {
      descriptions.retry();
      values.retry();
    },
  };
}
