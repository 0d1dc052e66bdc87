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
  const fresh = useMemo(
    () => (known === null ? NONE : rows.filter((row) => !known.has(keyOf(row)))),
    [rows, known, keyOf],
  );
  return {
    shown: held?.rows ?? rows,
    heldSince: held?.since ?? null,
    fresh,
    hold: (now) => setHeld({ rows, since: now }),
    follow: () => setHeld(null),
  };
}
