// Where widgets lie on a grid of 24 columns. Pure: the same layout and the same move give the same layout.
import type { Widget } from "../../../types";

export const COLUMNS = 24;
export const ROWS_MAX = 10_000;
export const HEIGHT_MAX = 100;
/** Smaller than this nothing can be read or taken hold of. */
export const WIDTH_MIN = 3;
export const HEIGHT_MIN = 2;

export interface Place {
  x: number;
  y: number;
  w: number;
  h: number;
}

export function overlap(a: Place, b: Place): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

export function within({ x, y, w, h }: Place): Place {
  const width = clamp(w, WIDTH_MIN, COLUMNS);
  const height = clamp(h, HEIGHT_MIN, HEIGHT_MAX);
  return { x: clamp(x, 0, COLUMNS - width), y: clamp(y, 0, ROWS_MAX - height), w: width, h: height };
}

/** Puts one widget where it is wanted. What lies there makes room downwards; nothing moves without need. */
export function put(widgets: readonly Widget[], id: string, wanted: Place): Widget[] {
  const moved = widgets.find((widget) => widget.id === id);
  if (moved === undefined) return [...widgets];
  const placed: Widget[] = [{ ...moved, ...within(wanted) }];
  for (const widget of inReadingOrder(widgets)) {
    if (widget.id === id) continue;
    let place = widget;
    for (let inTheWay = blocking(placed, place); inTheWay !== undefined; inTheWay = blocking(placed, place))
      place = { ...place, y: inTheWay.y + inTheWay.h };
    placed.push(place);
  }
  const places = new Map(placed.map((widget) => [widget.id, widget]));
  return widgets.map((widget) => places.get(widget.id) ?? widget);
}

/** The first place from above that is free for a new widget. */
export function freePlace(widgets: readonly Widget[], w: number, h: number): Place {
  const bottom = Math.max(0, ...widgets.map((widget) => widget.y + widget.h));
  for (let y = 0; y < bottom; y += 1)
    for (let x = 0; x + w <= COLUMNS; x += 1)
      if (!widgets.some((widget) => overlap(widget, { x, y, w, h }))) return { x, y, w, h };
  return { x: 0, y: bottom, w, h };
}

/** Moves everything up as far as it goes, in reading order. */
export function closeGaps(widgets: readonly Widget[]): Widget[] {
  const placed: Widget[] = [];
  for (const widget of inReadingOrder(widgets)) {
    let y = widget.y;
    while (y > 0 && blocking(placed, { ...widget, y: y - 1 }) === undefined) y -= 1;
    placed.push({ ...widget, y });
  }
  const places = new Map(placed.map((widget) => [widget.id, widget]));
  return widgets.map((widget) => places.get(widget.id) ?? widget);
}

export function inReadingOrder<T extends Place>(widgets: readonly T[]): T[] {
  return [...widgets].sort((a, b) => a.y - b.y || a.x - b.x);
}

/** What an arrow key does to a widget's place: moves it, or with shift changes its size. `null` for other keys. */
export function stepped(place: Place, key: string, shift: boolean): Place | null {
  const step = { ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1] }[key];
  const [dx, dy] = step ?? [];
  if (dx === undefined || dy === undefined) return null;
  const { x, y, w, h } = place;
  if (shift) return within({ x, y, w: Math.min(w + dx, COLUMNS - x), h: h + dy });
  return within({ x: x + dx, y: y + dy, w, h });
}

function blocking(placed: readonly Widget[], place: Place): Widget | undefined {
  return placed.find((widget) => overlap(widget, place));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, Math.round(value)));
}
