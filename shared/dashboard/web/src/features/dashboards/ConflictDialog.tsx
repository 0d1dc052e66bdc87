// A widget that several people changed without knowing of each other: all copies side by side, one is chosen.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { changeDashboard } from "../../api/dashboards";
import { dateAndTime, parseTime } from "../../format/time";
import { Modal } from "../../shell/Modal";
import { Failure } from "../../shell/Notice";
import type { Dashboard, DashboardWidget, Widget, WidgetCopy } from "../../types";
import { newActId } from "../alarms/alarm";
import { layoutOf } from "./layout/draft";
import { freePlace } from "./layout/grid";
import { nameOf, newWidgetId } from "./names";
import { WidgetBody } from "./WidgetFrame";
import { kindOf } from "./widgets/kinds";

interface Props {
  mission: string;
  dashboard: Dashboard;
  conflict: DashboardWidget;
  onSettled: (dashboard: Dashboard) => void;
  onClose: () => void;
}

export function ConflictDialog({ mission, dashboard, conflict, onSettled, onClose }: Props) {
  const [id] = useState(newActId);
  const settle = useMutation({
    mutationFn: (put: Widget[]) => changeDashboard(mission, dashboard.id, { id, base: dashboard.heads, put }),
    onSuccess: onSettled,
  });
  const [first, ...others] = conflict.copies;
  const keepAll = () => {
    if (first === undefined) return;
    const put = [first.widget];
    const { widgets } = layoutOf(dashboard);
    for (const { widget } of others)
      put.push({ ...widget, id: newWidgetId(), ...freePlace([...widgets, ...put], widget.w, widget.h) });
    settle.mutate(put);
  };
  return (
    <Modal title="Several people changed this widget" className="wide" onClose={onClose}>
      <p>Nothing is lost: choose the one that stays, or keep all of them as widgets of their own.</p>
      <div className="copies">
        {conflict.copies.map((copy) => (
          <Copy
            key={JSON.stringify(copy)}
            mission={mission}
            copy={copy}
            onKeep={() => settle.mutate([copy.widget])}
          />
        ))}
      </div>
      {settle.isError ? <Failure error={settle.error} /> : null}
      <p className="modal-acts">
        <button type="button" onClick={keepAll}>
          Keep all
        </button>
        <button type="button" onClick={onClose}>
          Decide later
        </button>
      </p>
    </Modal>
  );
}

interface CopyProps {
  mission: string;
  copy: WidgetCopy;
  onKeep: () => void;
}

function Copy({ mission, copy: { widget, author, at }, onKeep }: CopyProps) {
  const { x, y, w, h } = widget;
  return (
    <section className="panel widget copy" aria-label={`Copy of ${author}`}>
      <header>
        <h3>
          <bdi>{author}</bdi>
        </h3>
        <time className="faint">{dateAndTime(parseTime(at))}</time>
        <span className="grow" />
        <button type="button" onClick={onKeep}>
          Keep this one
        </button>
      </header>
      <p className="faint widget-note">
        <bdi>{nameOf(widget)}</bdi> · {kindOf(widget.kind)?.label ?? widget.kind} · column {x + 1}, row{" "}
        {y + 1}, {w} × {h}
      </p>
      <div className="widget-body">
        <WidgetBody mission={mission} widget={widget} asTable={false} />
      </div>
    </section>
  );
}
