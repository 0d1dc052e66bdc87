// What a widget's options may be. Files come from elsewhere and from newer pages: what is wrong is said, what is
// unknown is kept.
import type { Widget } from "../../../types";

export type Opts = Widget["opts"];

export type Field =
  | {
      kind: "choice";
      name: string;
      label: string;
      options: readonly (readonly [value: string, label: string])[];
    }
  | { kind: "number"; name: string; label: string; hint: string }
  | { kind: "parameters"; name: "parameters"; label: string; min: number; max: number; curves: boolean }
  | { kind: "text"; name: string; label: string; lines: number; required: boolean };

const TEXT_MAX = 8_000;

/** What of the options cannot be shown, as a sentence; `null` when all can. */
export function problemOf(fields: readonly Field[], opts: Opts): string | null {
  for (const field of fields) {
    const problem = fieldProblem(field, opts[field.name]);
    if (problem !== null) return problem;
  }
  return null;
}

export function fieldProblem(field: Field, value: unknown): string | null {
  switch (field.kind) {
    case "choice":
      if (value === undefined || field.options.some(([option]) => option === value)) return null;
      return `“${field.label}” is ${JSON.stringify(value)}; ${field.options.map(([option]) => option).join(", ")} are known.`;
    case "number":
      if (value === undefined || (typeof value === "number" && Number.isFinite(value))) return null;
      return `“${field.label}” is ${JSON.stringify(value)}, and must be a number.`;
    case "text":
      if (value === undefined && !field.required) return null;
      if (typeof value === "string" && value.length <= TEXT_MAX && (value.trim() !== "" || !field.required))
        return null;
      return `“${field.label}” must be text of at most ${TEXT_MAX} characters.`;
    case "parameters": {
      if (!Array.isArray(value) || !value.every((name) => typeof name === "string"))
        return field.min === 0 && value === undefined
          ? null
          : `“${field.label}” must be a list of parameter names.`;
      if (value.length < field.min)
        return `Choose ${field.min === 1 ? "a parameter" : `${field.min} parameters`} for it.`;
      if (value.length > field.max) return `It has ${value.length} parameters; it takes ${field.max}.`;
      return null;
    }
  }
}

const NO_NAMES: readonly string[] = [];

export function parametersOf(opts: Opts): readonly string[] {
  const { parameters } = opts;
  return Array.isArray(parameters) ? (parameters as string[]) : NO_NAMES;
}

export function textOf(opts: Opts, name: string): string {
  const value = opts[name];
  return typeof value === "string" ? value : "";
}

export function numberOf(opts: Opts, name: string): number | null {
  const value = opts[name];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
