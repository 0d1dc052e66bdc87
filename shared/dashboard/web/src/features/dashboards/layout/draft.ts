// A dashboard while somebody edits it: what it began from, what it is now, and the way back. Pure.
import type { Dashboard, DashboardAudience, DashboardChange, Widget } from "../../../types";

const STEPS_MAX = 100;

export interface Layout {
  title: string;
  audience: DashboardAudience;
  widgets: Widget[];
}

export interface Draft {
  /** As it was when editing began: saving sends its heads, so that what others did since is merged. */
  base: Dashboard;
  now: Layout;
  past: Layout[];
  future: Layout[];
}

/** Of a widget in conflict the newest copy is shown, until somebody chooses. */
export function layoutOf({ title, audience, widgets }: Dashboard): Layout {
  return { title, audience, widgets: widgets.flatMap((widget) => widget.copies[0]?.widget ?? []) };
}

export function begin(base: Dashboard): Draft {
  return { base, now: layoutOf(base), past: [], future: [] };
}

export function edit(draft: Draft, change: (layout: Layout) => Layout): Draft {
  const now = change(draft.now);
  if (equal(now, draft.now)) return draft;
  return { ...draft, now, past: [...draft.past.slice(1 - STEPS_MAX), draft.now], future: [] };
}

export function undo(draft: Draft): Draft {
  const now = draft.past.at(-1);
  if (now === undefined) return draft;
  return { ...draft, now, past: draft.past.slice(0, -1), future: [draft.now, ...draft.future] };
}

export function redo(draft: Draft): Draft {
  const [now, ...future] = draft.future;
  if (now === undefined) return draft;
  return { ...draft, now, past: [...draft.past, draft.now], future };
}

export type Changes = Omit<DashboardChange, "base" | "id"> & { put: Widget[]; remove: string[] };

/** Only what is other than it was: what nobody touched here is not sent, and cannot overwrite a colleague's work. */
export function changesOf({ base, now }: Draft): Changes {
  const before = layoutOf(base);
  const known = new Map(before.widgets.map((widget) => [widget.id, widget]));
  const left = new Set(now.widgets.map((widget) => widget.id));
  return {
    put: now.widgets.filter((widget) => !equal(widget, known.get(widget.id))),
    remove: before.widgets.map((widget) => widget.id).filter((id) => !left.has(id)),
    ...(now.title === before.title ? {} : { title: now.title }),
    ...(now.audience === before.audience ? {} : { audience: now.audience }),
  };
}

export function isChanged(draft: Draft): boolean {
  const { put, remove, title, audience } = changesOf(draft);
  return put.length > 0 || remove.length > 0 || title !== undefined || audience !== undefined;
}

export type Deed = "added" | "configured" | "moved" | "removed" | "resized";

export interface WidgetDifference {
  id: string;
  deeds: Deed[];
  before: Widget | null;
  after: Widget | null;
}

/** What saving will change of the widgets, for people to read first. */
export function differences(draft: Draft): WidgetDifference[] {
  const known = new Map(layoutOf(draft.base).widgets.map((widget) => [widget.id, widget]));
  const { put, remove } = changesOf(draft);
  return [
    ...put.map((after): WidgetDifference => {
      const before = known.get(after.id) ?? null;
      return { id: after.id, deeds: before === null ? ["added"] : deedsOf(before, after), before, after };
    }),
    ...remove.map(
      (id): WidgetDifference => ({ id, deeds: ["removed"], before: known.get(id) ?? null, after: null }),
    ),
  ];
}

function deedsOf(before: Widget, after: Widget): Deed[] {
  const deeds: Deed[] = [];
  if (before.x !== after.x || before.y !== after.y) deeds.push("moved");
  if (before.w !== after.w || before.h !== after.h) deeds.push("resized");
  if (before.kind !== after.kind || !equal(before.opts, after.opts)) deeds.push("configured");
  return deeds;
}

/** By value, whatever order keys were written in. */
export function equal(a: unknown, b: unknown): boolean {
  return ordered(a) === ordered(b);
}

function ordered(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
