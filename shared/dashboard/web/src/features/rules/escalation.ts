// Who is told of an alarm and after how long, as a rules document says it; and new parts of it, as text that is added.
import { added } from "./document";
import { quoted, readTables, type TomlTable, type TomlValue } from "./toml";

export interface Contact {
  name: string;
  /** `email kari@station.example`. */
  way: string;
  line: number;
}

export interface Step {
  /** As written, `15 min`; empty: at once. */
  after: string;
  to: string[];
}

export interface Ladder {
  name: string;
  atLeast: string;
  steps: Step[];
  /** `again every 30 min, 4 times`; empty when it is not. */
  repeat: string;
  line: number;
}

export interface Escalation {
  contacts: Contact[];
  ladders: Ladder[];
  /** Names of lists of who is on call. */
  onCall: string[];
}

const WAYS = ["email", "slack", "webhook"] as const;

export function readEscalation(text: string): Escalation {
  const tables = readTables(text);
  const named = (name: string) => tables.filter((table) => table.name === name);
  return {
    contacts: named("contact").map(contactOf),
    ladders: named("ladder").map(ladderOf),
    onCall: named("on_call").map(({ values }) => textOf(values.name)),
  };
}

function contactOf({ values, line }: TomlTable): Contact {
  const way = WAYS.find((known) => values[known] !== undefined);
  return { name: textOf(values.name), way: way === undefined ? "" : `${way} ${textOf(values[way])}`, line };
}

function ladderOf({ values, line }: TomlTable): Ladder {
  const steps = Array.isArray(values.steps) ? values.steps : [];
  const every = textOf(values.repeat_every);
  return {
    name: textOf(values.name),
    atLeast: textOf(values.at_least),
    steps: steps.map((step) => {
      const { after, to } = isTable(step) ? step : {};
      return { after: textOf(after), to: Array.isArray(to) ? to.map(textOf) : [] };
    }),
    repeat: every === "" ? "" : `again every ${every}, ${textOf(values.repeat_times) || "?"} times`,
    line,
  };
}

function isTable(value: TomlValue | undefined): value is { [key: string]: TomlValue } {
  return typeof value === "object" && !Array.isArray(value);
}

function textOf(value: TomlValue | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

export interface NewLadder {
  name: string;
  atLeast: string;
  steps: Step[];
}

/** The document with a contact more; all that stands in it stays as it is, comments too. */
export function withContact(text: string, name: string, way: string, address: string): string {
  return added(text, ["[[contact]]", `name = ${quoted(name)}`, `${way} = ${quoted(address)}`]);
}

export function withLadder(text: string, ladder: NewLadder): string {
  const steps = ladder.steps.map(({ after, to }) => {
    const wait = after.trim() === "" ? "" : `after = ${quoted(after.trim())}, `;
    return `{ ${wait}to = [${to.map(quoted).join(", ")}] }`;
  });
  return added(text, [
    "[[ladder]]",
    `name = ${quoted(ladder.name)}`,
    `at_least = ${quoted(ladder.atLeast)}`,
    `steps = [${steps.join(", ")}]`,
  ]);
}
