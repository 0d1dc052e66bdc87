// The widgets of a dashboard on their grid; in edit mode they are moved and sized with the pointer or the keyboard.
import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from "react";
import type { DashboardWidget, Widget } from "../../types";
import { COLUMNS, inReadingOrder, type Place, put, stepped } from "./layout/grid";
import { nameOf } from "./names";
import { WidgetFrame } from "./WidgetFrame";

/** Height of a row and the distance between two, in pixels; the style sheet says the same. */
const ROW = 28;
const GAP = 8;

export interface BoardProps {
  mission: string;
  widgets: readonly Widget[];
  /** What is said of a widget above its content: that it has several copies. */
  noteOf?: (id: string) => ReactNode;
  editing?: BoardEditing;
}

export interface BoardEditing {
  onPlace: (id: string, place: Place) => void;
  onConfigure: (id: string) => void;
  onRemove: (id: string) => void;
}

interface Drag {
  id: string;
  what: "move" | "size";
  startX: number;
  startY: number;
  place: Place;
  /** Where it would come to lie now. */
  wanted: Place;
}

export function conflictsOf(widgets: readonly DashboardWidget[]): DashboardWidget[] {
  return widgets.filter((widget) => widget.copies.length > 1);
}

export function Board({ mission, widgets, noteOf, editing }: BoardProps) {
  const board = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<Drag | null>(null);
  const [spoken, setSpoken] = useState("");
  const shown = drag === null ? widgets : put(widgets, drag.id, drag.wanted);
  // An element that is moved among its siblings loses the focus: while editing the order stays as it is.
  const ordered = editing === undefined ? inReadingOrder(shown) : shown;

  const onDown = (event: PointerEvent, widget: Widget, what: Drag["what"]) => {
    if (editing === undefined || event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const { x, y, w, h } = widget;
    const place = { x, y, w, h };
    setDrag({ id: widget.id, what, startX: event.clientX, startY: event.clientY, place, wanted: place });
  };
  const onMove = (event: PointerEvent) => {
    if (drag === null || board.current === null) return;
    const column = (board.current.clientWidth + GAP) / COLUMNS;
    const dx = Math.round((event.clientX - drag.startX) / column);
    const dy = Math.round((event.clientY - drag.startY) / (ROW + GAP));
    const { x, y, w, h } = drag.place;
    const wanted =
      drag.what === "move"
        ? { x: x + dx, y: y + dy, w, h }
        : { x, y, w: Math.min(w + dx, COLUMNS - x), h: h + dy };
    setDrag({ ...drag, wanted });
  };
  const onUp = () => {
    if (drag === null) return;
    editing?.onPlace(drag.id, drag.wanted);
    setDrag(null);
  };
  const onKey = (event: KeyboardEvent<HTMLElement>, widget: Widget) => {
    if (editing === undefined) return;
    if (event.key === "Escape" && drag !== null) {
      event.preventDefault();
      setDrag(null);
      return;
    }
    // Keys of what stands in the widget are its own.
    if (event.target !== event.currentTarget) return;
    if (event.key === "Enter") editing.onConfigure(widget.id);
    else if (event.key === "Delete") editing.onRemove(widget.id);
    else {
      const place = stepped(widget, event.key, event.shiftKey);
      if (place === null) return;
      editing.onPlace(widget.id, place);
      setSpoken(`${nameOf(widget)}: ${placeText(place)}`);
    }
    event.preventDefault();
  };

  return (
    <>
      <div
        className={`board${editing === undefined ? "" : " editing"}`}
        ref={board}
        onPointerMove={onMove}
        onPointerUp={onUp}
      >
        {ordered.map((widget) => (
          <div
            key={widget.id}
            className={`slot${drag?.id === widget.id ? " dragged" : ""}`}
            style={{
              gridColumn: `${widget.x + 1} / span ${widget.w}`,
              gridRow: `${widget.y + 1} / span ${widget.h}`,
            }}
            {...(editing === undefined
              ? {}
              : {
                  role: "group",
                  tabIndex: 0,
                  "data-own-keys": true,
                  "aria-roledescription": "widget",
                  "aria-label": `${nameOf(widget)}, ${placeText(widget)}. Arrow keys move it, with shift they resize it.`,
                  onKeyDown: (event: KeyboardEvent<HTMLElement>) => onKey(event, widget),
                })}
          >
            <WidgetFrame
              mission={mission}
              widget={widget}
              note={noteOf?.(widget.id)}
              {...(editing === undefined
                ? {}
                : { tools: <Tools widget={widget} editing={editing} onDown={onDown} /> })}
            />
            {editing === undefined ? null : (
              <div
                className="size-handle"
                aria-hidden="true"
                title="Drag to resize"
                onPointerDown={(event) => onDown(event, widget, "size")}
              />
            )}
          </div>
        ))}
      </div>
      <output className="visually-hidden" aria-live="polite" data-testid="placed">
        {spoken}
      </output>
    </>
  );
}

interface ToolsProps {
  widget: Widget;
  editing: BoardEditing;
  onDown: (event: PointerEvent, widget: Widget, what: "move") => void;
}

function Tools({ widget, editing, onDown }: ToolsProps) {
  const name = nameOf(widget);
  return (
    <>
      <span
        className="drag-handle"
        aria-hidden="true"
        title="Drag to move"
        onPointerDown={(event) => onDown(event, widget, "move")}
      >
        ⠿
      </span>
      <button type="button" aria-label={`Configure ${name}`} onClick={() => editing.onConfigure(widget.id)}>
        Configure
      </button>
      <button type="button" aria-label={`Remove ${name}`} onClick={() => editing.onRemove(widget.id)}>
        Remove
      </button>
    </>
  );
}

function placeText({ x, y, w, h }: Place): string {
  return `column ${x + 1}, row ${y + 1}, ${w} wide, ${h} high`;
}
