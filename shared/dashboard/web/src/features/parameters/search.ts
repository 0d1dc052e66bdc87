// Finds parameters by words: each must occur somewhere in the path, the description or the unit.
import type { ParameterDescription } from "../../types";

export function matching(
  parameters: readonly ParameterDescription[],
  search: string,
): ParameterDescription[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return parameters.filter((parameter) => {
    const text = `${parameter.name} ${parameter.description ?? ""} ${parameter.unit ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
