// What is read of a rules document of either sort, and changed in it, without reading all of it.

const VERSION = /^version\s*=\s*(\d+)/m;

/** The version that the document says of itself; 0 when it says none. */
export function versionOf(text: string): number {
  return Number(VERSION.exec(headOf(text))?.[1] ?? 0);
}

/** The document with that version counted up; one that says none begins with 1. */
export function countedUp(text: string): string {
  const match = VERSION.exec(headOf(text));
  if (match === null) return `version = 1\n${text}`;
  return `${text.slice(0, match.index)}version = ${Number(match[1]) + 1}${text.slice(match.index + match[0].length)}`;
}

/** The document with a table more; all that stands in it stays as it is, comments too. */
export function added(text: string, lines: readonly string[]): string {
  const before = text.trimEnd();
  return `${before}${before === "" ? "" : "\n\n"}${lines.join("\n")}\n`;
}

/** What stands before the first table. */
function headOf(text: string): string {
  const heading = /^\s*\[/m.exec(text);
  return heading === null ? text : text.slice(0, heading.index);
}
