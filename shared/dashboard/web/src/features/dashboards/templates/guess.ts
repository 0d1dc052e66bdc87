// Guesses which parameter has which role, by words of its name and description and by its unit. Pure.
import type { ParameterDescription } from "../../../types";
import type { Role, Template } from "./template";

export interface Guess {
  parameter: string;
  /** Why, in words that are shown beside it. */
  reason: string;
}

interface Scored extends Guess {
  role: string;
  score: number;
}

interface Indexed {
  parameter: ParameterDescription;
  name: ReadonlySet<string>;
  text: ReadonlySet<string>;
  unit: string;
}

/** One parameter for each role at most, and each parameter for one role: the surest pairs first. */
export function guessRoles(
  template: Template,
  parameters: readonly ParameterDescription[],
): Map<string, Guess> {
  const indexed = parameters.map(index);
  const scored = template.roles.flatMap((role) =>
    indexed.flatMap((candidate) => score(role, candidate) ?? []),
  );
  scored.sort((a, b) => b.score - a.score || (a.parameter < b.parameter ? -1 : 1));
  const guesses = new Map<string, Guess>();
  const taken = new Set<string>();
  for (const { role, parameter, reason } of scored) {
    if (guesses.has(role) || taken.has(parameter)) continue;
    guesses.set(role, { parameter, reason });
    taken.add(parameter);
  }
  return guesses;
}

function index(parameter: ParameterDescription): Indexed {
  return {
    parameter,
    name: tokens(parameter.name),
    text: tokens(parameter.description ?? ""),
    unit: (parameter.unit ?? "").toLowerCase(),
  };
}

function tokens(text: string): ReadonlySet<string> {
  const apart = text.slice(0, 400).replace(/([a-z])([A-Z])/g, "$1 $2");
  return new Set(
    apart
      .toLowerCase()
      .split(/[^\p{L}]+/u)
      .filter(Boolean),
  );
}

/** All words must occur. A unit of another quantity speaks against it, a longer name a little. */
function score(role: Role, { parameter, name, text, unit }: Indexed): Scored | null {
  if (!role.kinds.includes(parameter.kind)) return null;
  const reasons: string[] = [];
  let points = 0;
  for (const word of role.words) {
    const spellings = word.split("|");
    const inName = spellings.find((spelling) => name.has(spelling));
    const found = inName ?? spellings.find((spelling) => text.has(spelling));
    if (found === undefined) return null;
    points += inName === undefined ? 2 : 4;
    reasons.push(`“${found}” in its ${inName === undefined ? "description" : "name"}`);
  }
  if (role.units.length > 0) {
    if (role.units.some((known) => known.toLowerCase() === unit)) {
      points += 3;
      reasons.push(`unit ${parameter.unit}`);
    } else if (unit !== "") points -= 4;
  }
  points -= name.size * 0.2;
  return points < 2
    ? null
    : { role: role.role, parameter: parameter.name, reason: reasons.join(", "), score: points };
}
