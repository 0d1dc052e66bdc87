// A growing list that a person may hold still while reading.
import { useMemo, useState } from "react";

export interface Followed<Row> {
  shown: readonly Row[];
  /** Since when it is held, Unix milliseconds; `null` while it follows. */
  heldSince: number | null;
  /** Rows that came since then. */
  fresh: readonly Row[];
  hold: (now: number) => void;
  follow: () => void;
}

const NONE: readonly never[] = [];

export function useFollow<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Followed<Row> {
  const [held, setHeld] = useState<{ rows: readonly Row[]; since: number } | null>(null);
  const known = useMemo(() => (held === null ? null : new Set(held.rows.map(keyOf))), [held, keyOf]);
  const { shown, fresh } = useMemo(() => {
    if (held === null || known === null) return { shown: rows, fresh: NONE };
    // Older ones that were read since then are not new: the list goes on with them.
    const last = held.rows.at(-1);
    const end = last === undefined ? rows.length : rows.lastIndexOf(last) + 1 || rows.length;
    return {
      shown: end < rows.length ? held.rows.concat(rows.slice(end)) : held.rows,
      fresh: rows.slice(0, end).filter((row) => !known.has(keyOf(row))),
    };
  }, [rows, held, known, keyOf]);
  return {
    shown,
    heldSince: held?.since ?? null,
    fresh,
    hold: (now) => setHeld({ rows, since: now }),
    follow: () => setHeld(null),
  };
}
