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

interface Held<Row> {
  rows: readonly Row[];
  since: number;
}

export interface Hold<Row> {
  /** `null` while the list follows. */
  held: Held<Row> | null;
  setHeld: (held: Held<Row> | null) => void;
}

/** What a list is held at, for those who bring its rows and must know how long they are looked at. */
export function useHold<Row>(): Hold<Row> {
  const [held, setHeld] = useState<Held<Row> | null>(null);
  return { held, setHeld };
}

const NONE: readonly never[] = [];

export function useFollow<Row>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  { held, setHeld }: Hold<Row>,
): Followed<Row> {
  const known = useMemo(() => (held === null ? null : new Set(held.rows.map(keyOf))), [held, keyOf]);
  const { shown, fresh } = useMemo(() => {
    if (held === null || known === null) return { shown: rows, fresh: NONE };
    // Older ones that were read since then are not new: the list goes on with them.
    const last = held.rows.at(-1);
    const lastKey = last === undefined ? null : keyOf(last);
    // By key: the archive may have corrected the row meanwhile.
    const end = rows.findLastIndex((row) => keyOf(row) === lastKey) + 1 || rows.length;
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
