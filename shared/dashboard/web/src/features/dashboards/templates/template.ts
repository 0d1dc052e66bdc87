// A template is a layout whose parameters are roles. A mission's parameters are given to the roles, as far as it has them.
import type { ParameterKind, Widget } from "../../../types";
import { closeGaps } from "../layout/grid";
import { kindOf } from "../widgets/kinds";

export interface Role {
  role: string;
  label: string;
  /** Each must occur in the name or the description, in one of its spellings: `battery|batt|bat`. */
  words: readonly string[];
  /** Units that speak for a parameter; empty: it has none. */
  units: readonly string[];
  kinds: readonly ParameterKind[];
}

export interface TemplateWidget {
  kind: string;
  place: readonly [x: number, y: number, w: number, h: number];
  title: string;
  roles: readonly string[];
  opts?: Widget["opts"];
}

export interface Template {
  name: string;
  title: string;
  what: string;
  roles: readonly Role[];
  widgets: readonly TemplateWidget[];
}

const NUMBERS: readonly ParameterKind[] = ["float", "integer"];
const STATES: readonly ParameterKind[] = ["boolean", "enumeration"];

export function quantity(role: string, label: string, words: string, ...units: string[]): Role {
  return { role, label, words: words.split(" "), units, kinds: NUMBERS };
}

export function state(role: string, label: string, words: string): Role {
  return { role, label, words: words.split(" "), units: [], kinds: STATES };
}

/** Full names of parameters, by role; what is absent stays out. */
export type Mapping = Readonly<Record<string, string | undefined>>;

/** The widgets for which enough roles have a parameter, with the gaps of the others closed. */
export function widgetsOf(template: Template, mapping: Mapping): Widget[] {
  const widgets = template.widgets.flatMap((wanted, index): Widget[] => {
    const [x, y, w, h] = wanted.place;
    const parameters = wanted.roles.flatMap((role) => mapping[role] ?? []);
    if (parameters.length < needed(wanted)) return [];
    const opts = {
      ...wanted.opts,
      title: wanted.title,
      ...(wanted.roles.length > 0 ? { parameters } : {}),
    };
    return [{ id: `${template.name}-${index + 1}`, kind: wanted.kind, x, y, w, h, opts }];
  });
  return closeGaps(widgets);
}

function needed({ kind, roles }: TemplateWidget): number {
  if (roles.length === 0) return 0;
  const field = kindOf(kind)?.fields.find((candidate) => candidate.kind === "parameters");
  return field?.kind === "parameters" ? field.min : 1;
}
