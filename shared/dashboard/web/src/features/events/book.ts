// All events that are known of a time, newest first and each once. Pages and single events are put in where they belong:
// what that costs goes with what is put in, not with what is there.
import type { LogRow } from "./log";

export class Book {
  /** Newest first; another array whenever something was put in. */
  rows: readonly LogRow[] = [];
  private readonly known = new Map<string, LogRow>();
  private readonly taken = new WeakSet<object>();

  /** Puts a page of the archive in, once. What the archive says of an event counts. */
  takePage(page: readonly LogRow[]): void {
    if (this.taken.has(page)) return;
    this.taken.add(page);
    const isCorrected = page.some((row) => {
      const known = this.known.get(row.key);
      return known !== undefined && !saysTheSame(known, row);
    });
    const fresh = page.filter(({ key }) => !this.known.has(key));
    for (const row of page) this.known.set(row.key, row);
    if (isCorrected) this.rows = this.rows.map((row) => this.known.get(row.key) ?? row);
    this.add(fresh);
  }

  /** Puts in what the live connection brought, oldest first: only what was not there the last time. */
  takeLive<Entry extends object>(entries: readonly Entry[], rowOf: (entry: Entry) => LogRow): void {
    const fresh: LogRow[] = [];
    for (let index = entries.length - 1; index >= 0; index -= 1) {
      const entry = entries[index];
      if (entry === undefined || this.taken.has(entry)) break;
      this.taken.add(entry);
      const row = rowOf(entry);
      if (!this.known.has(row.key)) fresh.push(row);
      if (!this.known.has(row.key)) this.known.set(row.key, row);
    }
    this.add(fresh);
  }

  /** A page that stays open for weeks must not grow. */
  forget(before: number): void {
    const last = this.rows.at(-1);
    if (last === undefined || last.at >= before) return;
    const end = firstBefore(this.rows, before);
    for (const { key } of this.rows.slice(end)) this.known.delete(key);
    this.rows = this.rows.slice(0, end);
  }

  private add(fresh: LogRow[]): void {
    const rows = [...new Map(fresh.map((row) => [row.key, row])).values()].sort((a, b) => b.at - a.at);
    const [newest, oldest] = [rows[0], rows.at(-1)];
    if (newest === undefined || oldest === undefined) return;
    // Pages lie behind what is there and live events before it: only between the two is anything compared.
    const [first, end] = [firstBefore(this.rows, newest.at), firstBefore(this.rows, oldest.at)];
    this.rows = this.rows
      .slice(0, first)
      .concat(merged(this.rows.slice(first, end), rows), this.rows.slice(end));
  }
}

function saysTheSame(known: LogRow, row: LogRow): boolean {
  return (
    known.author === row.author &&
    known.severity === row.severity &&
    known.details.length === row.details.length
  );
}

function merged(some: readonly LogRow[], others: readonly LogRow[]): LogRow[] {
  const rows: LogRow[] = [];
  let at = 0;
  for (const row of some) {
    for (let other = others[at]; other !== undefined && other.at > row.at; other = others[at]) {
      rows.push(other);
      at += 1;
    }
    rows.push(row);
  }
  return rows.concat(others.slice(at));
}

/** Rows from `from` on up to `to`, both included, of rows that are newest first. */
export function between(rows: readonly LogRow[], from: number, to: number): readonly LogRow[] {
  const [first, end] = [search(rows, (row) => row.at <= to), firstBefore(rows, from)];
  return first === 0 && end === rows.length ? rows : rows.slice(first, end);
}

function firstBefore(rows: readonly LogRow[], time: number): number {
  return search(rows, (row) => row.at < time);
}

/** Index of the first row of which it is true, when it is true of all behind it. */
function search(rows: readonly LogRow[], isTrue: (row: LogRow) => boolean): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows[middle];
    if (row !== undefined && isTrue(row)) high = middle;
    else low = middle + 1;
  }
  return low;
}
