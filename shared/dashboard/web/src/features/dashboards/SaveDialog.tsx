// What saving will change, to be read before it is done; or what discarding will lose.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { changeDashboard } from "../../api/dashboards";
import { Modal } from "../../shell/Modal";
import { Failure } from "../../shell/Notice";
import type { Dashboard } from "../../types";
import { newActId } from "../alarms/alarm";
import { changesOf, type Draft, differences, layoutOf, type WidgetDifference } from "./layout/draft";
import { AUDIENCES, nameOf } from "./names";
import { kindOf } from "./widgets/kinds";

interface Props {
  mission: string;
  draft: Draft;
  discarding: boolean;
  onDiscard: () => void;
  onClose: () => void;
  onSaved: (dashboard: Dashboard) => void;
}

export function SaveDialog({ mission, draft, discarding, onDiscard, onClose, onSaved }: Props) {
  // The same id when it is tried again: the server takes it for one change.
  const [id] = useState(newActId);
  const save = useMutation({
    mutationFn: () =>
      changeDashboard(mission, draft.base.id, { id, base: draft.base.heads, ...changesOf(draft) }),
    onSuccess: onSaved,
  });
  const before = layoutOf(draft.base);
  const { title, audience } = changesOf(draft);
  return (
    <Modal title={discarding ? "Discard these changes?" : "Save these changes?"} onClose={onClose}>
      <ul className="differences" aria-label="Changes">
        {title === undefined || title === null ? null : (
          <li>
            <strong>title</strong> <bdi>{before.title}</bdi> → <bdi>{title}</bdi>
          </li>
        )}
        {audience === undefined || audience === null ? null : (
          <li>
            <strong>seen by</strong> {AUDIENCES[before.audience]} → {AUDIENCES[audience]}
          </li>
        )}
        {differences(draft).map((difference) => (
          <DifferenceView key={difference.id} difference={difference} />
        ))}
      </ul>
      {save.isError ? <Failure error={save.error} /> : null}
      <p className="modal-acts">
        {discarding ? (
          <button type="button" className="primary" onClick={onDiscard}>
            Discard
          </button>
        ) : (
          <button
            type="button"
            className="primary"
            aria-disabled={save.isPending}
            title={save.isPending ? "It is being saved" : undefined}
            onClick={() => (save.isPending ? undefined : save.mutate())}
          >
            Save
          </button>
        )}
        <button type="button" onClick={onClose}>
          Go on editing
        </button>
      </p>
    </Modal>
  );
}

function DifferenceView({ difference: { deeds, before, after } }: { difference: WidgetDifference }) {
  const widget = after ?? before;
  if (widget === null) return null;
  return (
    <li>
      <strong>{deeds.join(", ")}</strong> <bdi>{nameOf(widget)}</bdi>{" "}
      <span className="faint">({kindOf(widget.kind)?.label ?? widget.kind})</span>
      {deeds.includes("moved") && before !== null && after !== null ? (
        <span className="faint">
          {" "}
          from column {before.x + 1}, row {before.y + 1} to column {after.x + 1}, row {after.y + 1}
        </span>
      ) : null}
      {deeds.includes("resized") && before !== null && after !== null ? (
        <span className="faint">
          {" "}
          from {before.w} × {before.h} to {after.w} × {after.h}
        </span>
      ) : null}
    </li>
  );
}
