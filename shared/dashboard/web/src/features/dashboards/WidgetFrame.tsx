// What stands around every widget: its heading, the time it shows, and what can be done with it.
import { Component, type ReactNode, Suspense, useState } from "react";
import { clockTime, dateAndTime } from "../../format/time";
import { Failure, Loading } from "../../shell/Notice";
import type { TimeMode } from "../../time/mode";
import { PanelTime, useTimeMode, useTimeNow } from "../../time/useTime";
import type { Widget } from "../../types";
import { problemOf } from "./layout/opts";
import { nameOf } from "./names";
import { kindOf } from "./widgets/kinds";

interface Props {
  mission: string;
  widget: Widget;
  /** Buttons of the edit mode, and what is to be said of the widget. */
  tools?: ReactNode;
  note?: ReactNode;
}

export function WidgetFrame(props: Props) {
  const [mode, setMode] = useState<TimeMode | null>(null);
  return (
    <PanelTime mode={mode} onMode={setMode}>
      <Frame {...props} paused={mode !== null} onMode={setMode} />
    </PanelTime>
  );
}

interface FrameProps extends Props {
  /** Whether it stands at a time of its own. */
  paused: boolean;
  onMode: (mode: TimeMode | null) => void;
}

function Frame({ mission, widget, tools, note, paused, onMode }: FrameProps) {
  const [asTable, setAsTable] = useState(false);
  const { mode } = useTimeMode();
  const timeNow = useTimeNow();
  const kind = kindOf(widget.kind);
  const name = nameOf(widget);
  const hasTime = widget.kind !== "text" && kind !== undefined;
  const pause = () => {
    const { from, to } = timeNow().window;
    onMode({ kind: "fixed", from: Math.round(from), to: Math.round(to) });
  };
  return (
    <section className={`panel widget time-${mode.kind}`} aria-label={name} data-kind={widget.kind}>
      <header>
        <h2 title={name}>
          <bdi>{name}</bdi>
        </h2>
        {hasTime && mode.kind !== "live" ? (
          <span className="widget-time" title={rangeText(mode, dateAndTime)}>
            <strong>{mode.kind.toUpperCase()}</strong>
            {paused ? ` ${rangeText(mode, clockTime)}` : ""}
          </span>
        ) : null}
        <span className="grow" />
        {hasTime && paused ? (
          <button type="button" onClick={() => onMode(null)}>
            Back to live
          </button>
        ) : null}
        {hasTime && mode.kind === "live" && tools === undefined ? (
          <button
            type="button"
            className="quiet"
            aria-label={`Pause ${name}`}
            title="Hold this panel at the present moment"
            onClick={pause}
          >
            Pause
          </button>
        ) : null}
        {kind?.hasTwin === true && tools === undefined ? (
          <button
            type="button"
            className="quiet"
            aria-pressed={asTable}
            aria-label={`Show ${name} as table`}
            onClick={() => setAsTable(!asTable)}
          >
            Table
          </button>
        ) : null}
        {tools}
      </header>
      {note}
      <div className="widget-body">
        <WidgetBoundary key={JSON.stringify(widget.opts)}>
          <Suspense fallback={<Loading what="widget" />}>
            <WidgetBody mission={mission} widget={widget} asTable={asTable} />
          </Suspense>
        </WidgetBoundary>
      </div>
    </section>
  );
}

interface BodyProps {
  mission: string;
  widget: Widget;
  asTable: boolean;
}

/** The widget itself, or why it cannot be shown; then it is kept as it is. */
export function WidgetBody({ mission, widget, asTable }: BodyProps) {
  const kind = kindOf(widget.kind);
  if (kind === undefined)
    return (
      <p className="empty" role="note">
        This page knows no widget of kind <bdi className="key">{widget.kind}</bdi>. It is kept as it is.
      </p>
    );
  const problem = problemOf(kind.fields, widget.opts);
  if (problem !== null)
    return (
      <p className="empty" role="note">
        {problem} The widget is kept as it is.
      </p>
    );
  const Shown = kind.component;
  return <Shown mission={mission} name={nameOf(widget)} opts={widget.opts} asTable={asTable} />;
}

function rangeText(mode: TimeMode, write: (ms: number) => string): string {
  return mode.kind === "live" ? "" : `${write(mode.from)} – ${write(mode.to)}`;
}

/** One widget that fails takes no other with it. */
class WidgetBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return <Failure error={this.state.error} onRetry={() => this.setState({ error: null })} />;
  }
}
