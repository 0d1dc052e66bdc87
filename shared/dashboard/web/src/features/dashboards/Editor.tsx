// A dashboard while it is edited. What is done is kept in the tab until it is saved or discarded.
import { useEffect, useRef, useState } from "react";
import { dateAndTime, parseTime } from "../../format/time";
import { useLoggedIn } from "../../session/access";
import type { Dashboard, DashboardAudience } from "../../types";
import { Board } from "./Board";
import { ConfigureDialog } from "./ConfigureDialog";
import { begin, type Draft, edit, isChanged, redo, undo } from "./layout/draft";
import { WIDGETS_MAX } from "./layout/file";
import { closeGaps, freePlace, put } from "./layout/grid";
import { useKeptDraft } from "./layout/keep";
import { AUDIENCES, newWidgetId } from "./names";
import { audienceRefusal } from "./rights";
import { SaveDialog } from "./SaveDialog";
import { kindOf } from "./widgets/kinds";

interface Props {
  mission: string;
  /** As the server has it now: it may have changed since editing began. */
  current: Dashboard;
  onSaved: (dashboard: Dashboard) => void;
  onLeave: () => void;
}

type Open = { kind: "add" } | { kind: "configure"; id: string } | { kind: "discard" } | { kind: "save" };

export function Editor({ mission, current, onSaved, onLeave }: Props) {
  const [kept, keep] = useKeptDraft(mission, current.id);
  const [restored] = useState(kept);
  const [draft, setDraft] = useState<Draft>(restored ?? begin(current));
  const [open, setOpen] = useState<Open | null>(null);
  const { session } = useLoggedIn();
  const changed = isChanged(draft);
  const update = (next: Draft) => {
    setDraft(next);
    keep(isChanged(next) ? next : null);
  };
  const leave = () => {
    keep(null);
    onLeave();
  };
  const onKey = (event: globalThis.KeyboardEvent) => {
    const typing =
      event.target instanceof Element && event.target.closest("input, textarea, select, dialog") !== null;
    if (typing || event.defaultPrevented) return;
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key.toLowerCase() === "z") {
      event.preventDefault();
      update(event.shiftKey ? redo(draft) : undo(draft));
    } else if (event.key === "Escape") {
      if (changed) setOpen({ kind: "discard" });
      else leave();
    }
  };
  useWindowKeys(onKey);

  const { now } = draft;
  const theirs = current.heads !== draft.base.heads;
  const refusal = audienceRefusal(session, current);
  const place = (kind: string): { w: number; h: number } => {
    const [w, h] = kindOf(kind)?.size ?? [8, 6];
    return { w, h };
  };
  const configured =
    open?.kind === "configure" ? now.widgets.find((widget) => widget.id === open.id) : undefined;
  return (
    <>
      <div className="page-head dashboard-head editor-bar" role="toolbar" aria-label="Edit">
        <label className="field">
          Title
          <input
            type="text"
            dir="auto"
            maxLength={200}
            value={now.title}
            onChange={(event) => update(edit(draft, (layout) => ({ ...layout, title: event.target.value })))}
          />
        </label>
        <label className="field" title={refusal ?? undefined}>
          Seen by
          <select
            value={now.audience}
            aria-disabled={refusal !== null}
            onChange={(event) => {
              const audience = event.target.value as DashboardAudience;
              if (refusal === null) update(edit(draft, (layout) => ({ ...layout, audience })));
            }}
          >
            {Object.entries(AUDIENCES).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <Step
          label="Undo"
          keys="Ctrl Z"
          refusal={draft.past.length === 0 ? "There is nothing to undo" : null}
          onClick={() => update(undo(draft))}
        />
        <Step
          label="Redo"
          keys="Ctrl Shift Z"
          refusal={draft.future.length === 0 ? "There is nothing to redo" : null}
          onClick={() => update(redo(draft))}
        />
        <Step
          label="Add a widget"
          refusal={
            now.widgets.length >= WIDGETS_MAX ? `A dashboard has at most ${WIDGETS_MAX} widgets` : null
          }
          onClick={() => setOpen({ kind: "add" })}
        />
        <Step
          label="Close gaps"
          refusal={null}
          onClick={() => update(edit(draft, (layout) => ({ ...layout, widgets: closeGaps(layout.widgets) })))}
        />
        <span className="grow" />
        <Step
          label="Save…"
          refusal={saveRefusal(changed, now.title)}
          onClick={() => setOpen({ kind: "save" })}
        />
        <button type="button" onClick={() => (changed ? setOpen({ kind: "discard" }) : leave())}>
          {changed ? "Discard…" : "Leave"}
        </button>
      </div>
      {restored === null ? null : (
        <p className="notice caution" role="status">
          Unsaved changes of before are here again.
        </p>
      )}
      {theirs ? (
        <p className="notice caution" role="status">
          <span>
            <bdi>{current.changed_by}</bdi> changed this dashboard at{" "}
            {dateAndTime(parseTime(current.changed_at))}, after you began. Saving keeps both: where you
            changed the same widget, one of you chooses.
          </span>
        </p>
      ) : null}
      <Board
        mission={mission}
        widgets={now.widgets}
        editing={{
          onPlace: (id, wanted) =>
            update(edit(draft, (layout) => ({ ...layout, widgets: put(layout.widgets, id, wanted) }))),
          onConfigure: (id) => setOpen({ kind: "configure", id }),
          onRemove: (id) =>
            update(
              edit(draft, (layout) => ({
                ...layout,
                widgets: layout.widgets.filter((widget) => widget.id !== id),
              })),
            ),
        }}
      />
      {now.widgets.length === 0 ? <p className="empty">Nothing is on it yet: add a widget.</p> : null}
      {open?.kind === "add" ? (
        <ConfigureDialog
          mission={mission}
          kind={null}
          opts={{}}
          onClose={() => setOpen(null)}
          onApply={(kind, opts) => {
            const { w, h } = place(kind);
            const added = { id: newWidgetId(), kind, opts, ...freePlace(now.widgets, w, h) };
            update(edit(draft, (layout) => ({ ...layout, widgets: [...layout.widgets, added] })));
            setOpen(null);
          }}
        />
      ) : null}
      {configured === undefined ? null : (
        <ConfigureDialog
          mission={mission}
          kind={configured.kind}
          opts={configured.opts}
          onClose={() => setOpen(null)}
          onApply={(_, opts) => {
            const widgets = now.widgets.map((widget) =>
              widget.id === configured.id ? { ...widget, opts } : widget,
            );
            update(edit(draft, (layout) => ({ ...layout, widgets })));
            setOpen(null);
          }}
        />
      )}
      {open?.kind === "save" || open?.kind === "discard" ? (
        <SaveDialog
          mission={mission}
          draft={draft}
          discarding={open.kind === "discard"}
          onDiscard={leave}
          onClose={() => setOpen(null)}
          onSaved={(saved) => {
            keep(null);
            onSaved(saved);
          }}
        />
      ) : null}
    </>
  );
}

interface StepProps {
  label: string;
  keys?: string;
  refusal: string | null;
  onClick: () => void;
}

function Step({ label, keys, refusal, onClick }: StepProps) {
  return (
    <button
      type="button"
      aria-disabled={refusal !== null}
      title={refusal ?? keys}
      onClick={() => (refusal === null ? onClick() : undefined)}
    >
      {label}
    </button>
  );
}

function saveRefusal(changed: boolean, title: string): string | null {
  if (title.trim() === "") return "It needs a title";
  return changed ? null : "Nothing was changed";
}

function useWindowKeys(onKey: (event: globalThis.KeyboardEvent) => void): void {
  const latest = useRef(onKey);
  latest.current = onKey;
  useEffect(() => {
    const listen = (event: globalThis.KeyboardEvent) => latest.current(event);
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}
