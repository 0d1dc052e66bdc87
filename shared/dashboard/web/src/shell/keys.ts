// Keys that work on every page. Nothing here takes a key that somebody types into a field.

export type KeyAct =
  | { kind: "go"; to: Destination }
  | { kind: "help" }
  | { kind: "live" }
  | { kind: "search" }
  | { kind: "shift"; by: number }
  | { kind: "time" }
  | { kind: "zoom"; factor: number };

export type Destination =
  | "alarms"
  | "completeness"
  | "dashboards"
  | "events"
  | "explore"
  | "fleet"
  | "nodes"
  | "orbit"
  | "overview"
  | "packets"
  | "parameters"
  | "passes";

/** Behind `g`. */
export const GO: Record<string, Destination> = {
  a: "alarms",
  c: "completeness",
  d: "dashboards",
  e: "events",
  f: "fleet",
  k: "packets",
  n: "nodes",
  o: "overview",
  p: "passes",
  r: "orbit",
  v: "parameters",
  x: "explore",
};

const ACTS: Record<string, KeyAct> = {
  "?": { kind: "help" },
  "/": { kind: "search" },
  "[": { kind: "shift", by: -0.5 },
  "]": { kind: "shift", by: 0.5 },
  "+": { kind: "zoom", factor: 0.5 },
  "-": { kind: "zoom", factor: 2 },
  l: { kind: "live" },
  t: { kind: "time" },
};

/** How long a letter behind `g` is waited for. */
export const PATIENCE_MS = 1_500;

/** Reads keys one after the other. */
export class Keys {
  private goneAt = Number.NEGATIVE_INFINITY;

  next(key: string, now: number): KeyAct | null {
    const isGoing = now - this.goneAt <= PATIENCE_MS;
    this.goneAt = Number.NEGATIVE_INFINITY;
    if (isGoing && GO[key] !== undefined) return { kind: "go", to: GO[key] };
    if (key === "g") {
      this.goneAt = now;
      return null;
    }
    return ACTS[key] ?? null;
  }
}

/** Whether a key belongs to what it was pressed in, or to the browser. */
export function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return true;
  if (!(event.target instanceof Element)) return false;
  return (
    event.target.closest("input, select, textarea, [contenteditable], dialog[open], [data-own-keys]") !== null
  );
}

/** For the help page, in the order in which they are listed. */
export const KEY_HELP: readonly [keys: string, what: string][] = [
  ["?", "this help"],
  ["/", "search: the page's own field where it has one, else everything"],
  ["Ctrl K", "search everything"],
  [
    "g then a letter",
    "go: o overview, f fleet, n nodes, a alarms, d dashboards, v parameters (values), x explore, c completeness, e events, k packets, p passes, r orbit",
  ],
  ["t", "to the time bar"],
  ["l", "live"],
  ["[ and ]", "half a range earlier, later"],
  ["+ and -", "a shorter, a longer range"],
  ["j and k, x, Enter", "in lists: next and previous row, select, open"],
  ["a, s", "in the list of alarms: acknowledge, shelve"],
  ["e", "on a dashboard: edit; arrows move, Shift and arrows resize, Ctrl Z undo"],
  ["← →, Home, End", "in a chart: move the cursor, which reads out what is there"],
  ["Esc", "close, leave"],
];
