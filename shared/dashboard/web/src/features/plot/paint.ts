// What a chart is painted with: colours from the style sheet, hatch patterns, and text that stays where it is put.
import { GAP_PATTERNS, type GapKind } from "./silences";

const CELL = 10;

/** The style sheet's colours, read once for each theme. */
export class Palette {
  private theme: string | undefined;
  private readonly colours = new Map<string, string>();
  private readonly patterns = new Map<string, CanvasPattern | null>();

  colour(name: string): string {
    const { theme } = document.documentElement.dataset;
    if (theme !== this.theme) {
      this.theme = theme;
      this.colours.clear();
      this.patterns.clear();
    }
    const known = this.colours.get(name);
    if (known !== undefined) return known;
    const read = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    this.colours.set(name, read);
    return read;
  }

  pattern(ctx: CanvasRenderingContext2D, kind: GapKind): CanvasPattern | null {
    const colour = this.colour("--hatch");
    const known = this.patterns.get(kind);
    if (known !== undefined) return known;
    const cell = document.createElement("canvas");
    const scale = devicePixelRatio;
    cell.width = CELL * scale;
    cell.height = CELL * scale;
    const inside = cell.getContext("2d");
    if (inside === null) return null;
    inside.scale(scale, scale);
    inside.strokeStyle = colour;
    inside.lineWidth = 1.2;
    inside.beginPath();
    for (const [x1, y1, x2, y2] of GAP_PATTERNS[kind]) {
      inside.moveTo(x1, y1);
      inside.lineTo(x2, y2);
    }
    inside.stroke();
    const pattern = ctx.createPattern(cell, "repeat");
    this.patterns.set(kind, pattern);
    return pattern;
  }
}

export const palette = new Palette();

/** Cut to fit; text of telemetry is kept apart, so that marks of its direction turn nothing else around. */
export function fitted(ctx: CanvasRenderingContext2D, text: string, width: number): string {
  const apart = (part: string) => `\u2068${part}\u2069`;
  if (ctx.measureText(text.slice(0, 200)).width <= width && text.length <= 200) return apart(text);
  let cut = text.slice(0, 200);
  while (cut.length > 1 && ctx.measureText(`${cut}…`).width > width)
    cut = cut.slice(0, -Math.ceil(cut.length / 8));
  return `${apart(cut)}…`;
}

/** Places for labels of one line's height each, close to where they belong and none over another. */
export function spread(wanted: readonly number[], height: number, top: number, bottom: number): number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  const places = [...wanted];
  let free = top;
  for (const index of order) {
    places[index] = Math.max(wanted[index] ?? 0, free);
    free = (places[index] ?? 0) + height;
  }
  let limit = bottom;
  for (const index of order.reverse()) {
    places[index] = Math.min(places[index] ?? 0, limit);
    limit = (places[index] ?? 0) - height;
  }
  return places;
}
