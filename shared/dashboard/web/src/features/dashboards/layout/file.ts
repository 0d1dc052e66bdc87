// Reads a dashboard's file from elsewhere, and says where in it something is wrong.
import type { DashboardFile, Widget } from "../../../types";
import { COLUMNS, HEIGHT_MAX, ROWS_MAX } from "./grid";

export const FORMAT = "sto-dashboard";
export const VERSION = 1;
export const WIDGETS_MAX = 200;
const TITLE_MAX = 200;
const BYTES_MAX = 1024 * 1024;
const WIDGET_BYTES_MAX = 16 * 1024;

export type FileResult =
  | { kind: "file"; file: DashboardFile }
  | { kind: "wrong"; place: string; why: string };

class Wrong extends Error {
  constructor(
    readonly place: string,
    readonly why: string,
  ) {
    super(`${place}: ${why}`);
  }
}

export function readDashboardFile(text: string): FileResult {
  try {
    return { kind: "file", file: fileOf(parsed(text)) };
  } catch (error) {
    if (error instanceof Wrong) return { kind: "wrong", place: error.place, why: error.why };
    throw error;
  }
}

function parsed(text: string): unknown {
  if (text.length > BYTES_MAX) throw new Wrong("file", `it has more than ${BYTES_MAX} characters`);
  try {
    return JSON.parse(text);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const at = /position (\d+)/.exec(said)?.[1];
    const before = at === undefined ? [] : text.slice(0, Number(at)).split("\n");
    const place =
      at === undefined ? "file" : `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
    throw new Wrong(place, `it is not JSON (${said})`);
  }
}

function fileOf(value: unknown): DashboardFile {
  const file = object(value, "file");
  if (file.format !== undefined && file.format !== FORMAT)
    throw new Wrong("format", `it is ${JSON.stringify(file.format)}, a dashboard's is "${FORMAT}"`);
  if (file.version !== undefined && file.version !== VERSION)
    throw new Wrong("version", `it is ${JSON.stringify(file.version)}, this dashboard reads ${VERSION}`);
  const { title, widgets } = file;
  if (typeof title !== "string" || title.trim() === "" || title.length > TITLE_MAX)
    throw new Wrong("title", `it must be text of 1 to ${TITLE_MAX} characters`);
  if (!Array.isArray(widgets)) throw new Wrong("widgets", "it must be a list");
  if (widgets.length > WIDGETS_MAX)
    throw new Wrong("widgets", `there are ${widgets.length}, at most ${WIDGETS_MAX} are taken`);
  const read = widgets.map((widget, index) => widgetOf(widget, `widgets[${index}]`));
  const twice = read.findIndex((widget, index) => read.findIndex(({ id }) => id === widget.id) < index);
  if (twice >= 0) throw new Wrong(`widgets[${twice}].id`, `"${read[twice]?.id}" is another widget's already`);
  return { format: FORMAT, version: VERSION, title, widgets: read };
}

function widgetOf(value: unknown, place: string): Widget {
  const { id, kind, x, y, w, h, opts, ...others } = object(value, place);
  const [other] = Object.keys(others);
  if (other !== undefined) throw new Wrong(`${place}.${other}`, "widgets have no such field");
  const widget: Widget = {
    id: word(id, /^[\w-]{1,64}$/, `${place}.id`, "letters, digits, - and _"),
    kind: word(kind, /^[a-z0-9-]{1,64}$/, `${place}.kind`, "lower-case letters, digits and -"),
    x: whole(x, 0, COLUMNS - 1, `${place}.x`),
    y: whole(y, 0, ROWS_MAX - 1, `${place}.y`),
    w: whole(w, 1, COLUMNS, `${place}.w`),
    h: whole(h, 1, HEIGHT_MAX, `${place}.h`),
    opts: object(opts, `${place}.opts`),
  };
  if (widget.x + widget.w > COLUMNS)
    throw new Wrong(`${place}.w`, `it ends at column ${widget.x + widget.w}, the grid has ${COLUMNS}`);
  if (JSON.stringify(widget).length > WIDGET_BYTES_MAX)
    throw new Wrong(place, `it has more than ${WIDGET_BYTES_MAX} characters`);
  return widget;
}

function object(value: unknown, place: string): Record<string, unknown> {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new Wrong(place, "it must be an object");
  return value as Record<string, unknown>;
}

function word(value: unknown, form: RegExp, place: string, of: string): string {
  if (typeof value !== "string" || !form.test(value)) throw new Wrong(place, `it must be 1 to 64 ${of}`);
  return value;
}

function whole(value: unknown, low: number, high: number, place: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < low || value > high)
    throw new Wrong(
      place,
      `it is ${JSON.stringify(value) ?? "missing"}, whole numbers from ${low} to ${high} are taken`,
    );
  return value;
}
