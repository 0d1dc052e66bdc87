// Reads of a rules document what is needed to explain it: tables of a list with strings, numbers, lists and inline tables.
// What is right and what is not the server decides; here what cannot be read is passed over.

export type TomlValue = boolean | number | string | TomlValue[] | { [key: string]: TomlValue };

export interface TomlTable {
  name: string;
  /** Of its heading, counted from 1. */
  line: number;
  values: Record<string, TomlValue>;
}

/** The tables in their order; what stands above the first heading is the table without a name. */
export function readTables(text: string): TomlTable[] {
  const tables: TomlTable[] = [{ name: "", line: 1, values: {} }];
  const reader = new Reader(text);
  while (!reader.atEnd) {
    reader.skipBlank();
    const line = reader.line;
    const heading = reader.take(/\[\[?\s*([\w.-]+)\s*\]\]?/y);
    if (heading !== null) {
      tables.push({ name: heading[1] ?? "", line, values: {} });
      continue;
    }
    const key = reader.take(/([\w-]+|"[^"\n]*")\s*=\s*/y);
    const value = key === null ? undefined : reader.value();
    if (key !== null && value !== undefined) {
      const values = tables.at(-1)?.values;
      if (values !== undefined) values[(key[1] ?? "").replaceAll('"', "")] = value;
    } else reader.skipLine();
  }
  return tables;
}

const DEPTH_MAX = 8;

class Reader {
  private at = 0;
  private counted = { at: 0, line: 1 };

  constructor(private readonly text: string) {}

  get atEnd(): boolean {
    return this.at >= this.text.length;
  }

  get line(): number {
    const { at, line } = this.counted;
    const passed = this.text.slice(at, this.at).split("\n").length - 1;
    this.counted = { at: this.at, line: line + passed };
    return this.counted.line;
  }

  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match !== null) this.at += match[0].length;
    return match;
  }

  skipBlank(): void {
    do this.take(/\s+/y);
    while (this.take(/#[^\n]*/y) !== null);
  }

  skipLine(): void {
    const end = this.text.indexOf("\n", this.at);
    this.at = end < 0 ? this.text.length : end + 1;
  }

  /** `undefined` for what this does not know; then it stands where it stood. */
  value(): TomlValue | undefined {
    const start = this.at;
    const value = this.valueAt(0);
    if (value === undefined) this.at = start;
    return value;
  }

  private valueAt(depth: number): TomlValue | undefined {
    if (depth > DEPTH_MAX) return undefined;
    const basic = this.take(/"((?:[^"\\\n]|\\.)*)"/y);
    if (basic !== null) return unescaped(basic[1] ?? "");
    const literal = this.take(/'([^'\n]*)'/y);
    if (literal !== null) return literal[1] ?? "";
    const word = this.take(/true|false/y);
    if (word !== null) return word[0] === "true";
    const number = this.take(/[+-]?\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?(?![\w:-])/iy);
    if (number !== null) return Number(number[0].replaceAll("_", ""));
    if (this.take(/\[/y) !== null) return this.list(depth);
    if (this.take(/\{/y) !== null) return this.inlineTable(depth);
    return undefined;
  }

  private list(depth: number): TomlValue[] | undefined {
    const list: TomlValue[] = [];
    for (;;) {
      this.skipBlank();
      if (this.take(/\]/y) !== null) return list;
      const value = this.valueAt(depth + 1);
      if (value === undefined) return undefined;
      list.push(value);
      this.skipBlank();
      this.take(/,/y);
    }
  }

  private inlineTable(depth: number): TomlValue | undefined {
    const table: Record<string, TomlValue> = {};
    for (;;) {
      this.skipBlank();
      if (this.take(/\}/y) !== null) return table;
      const key = this.take(/([\w-]+|"[^"\n]*")\s*=\s*/y);
      const value = key === null ? undefined : this.valueAt(depth + 1);
      if (key === null || value === undefined) return undefined;
      table[(key[1] ?? "").replaceAll('"', "")] = value;
      this.skipBlank();
      this.take(/,/y);
    }
  }
}

function unescaped(text: string): string {
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return text;
  }
}

/** As it is written in a document. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}
