// Draws what lies under a chart's lines: limit bands, gaps with their causes, and the span without a connection.
import type { Status } from "../../shell/StatusSymbol";
import { statusOf } from "../alarms/alarm";
import { fitted, palette } from "./paint";
import { GAP_WORDS, type Gap } from "./silences";
import type { LimitSet } from "./zones";

/** A chart's drawing surface and its scales, in canvas pixels. */
export interface Sheet {
  ctx: CanvasRenderingContext2D;
  left: number;
  top: number;
  width: number;
  height: number;
  /** Canvas pixels in a CSS pixel. */
  dot: number;
  xOf: (time: number) => number;
  /** Values far beyond the axis end a little outside the chart, so that canvas numbers stay sound. */
  yOf: (value: number) => number;
}

export const STATUS_COLOUR: Record<Status, string> = {
  caution: "--caution",
  critical: "--critical",
  invalid: "--off",
  normal: "--normal",
  off: "--off",
  serious: "--serious",
  standby: "--standby",
};

export function clipped(sheet: Sheet, draw: () => void): void {
  const { ctx, left, top, width, height } = sheet;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  draw();
  ctx.restore();
}

/** Yellow and red fill, and an edge line: dashed where caution begins, solid where it is worse. `of` says whose they are. */
export function drawZones(sheet: Sheet, limits: LimitSet, of: string | null): void {
  const { ctx, left, top, width, height, dot, yOf } = sheet;
  clipped(sheet, () => {
    for (const { from, to, severity } of limits.zones) {
      const status = statusOf(severity);
      const colour = palette.colour(STATUS_COLOUR[status]);
      const upper = Number.isFinite(to) ? yOf(to) : top;
      const lower = Number.isFinite(from) ? yOf(from) : top + height;
      ctx.fillStyle = colour;
      ctx.globalAlpha = 0.13;
      ctx.fillRect(left, upper, width, lower - upper);
      ctx.globalAlpha = 0.9;
      ctx.strokeStyle = colour;
      ctx.lineWidth = dot;
      ctx.setLineDash(status === "caution" ? [6 * dot, 4 * dot] : []);
      for (const edge of [from, to]) {
        if (!Number.isFinite(edge)) continue;
        ctx.beginPath();
        ctx.moveTo(left, yOf(edge));
        ctx.lineTo(left + width, yOf(edge));
        ctx.stroke();
      }
    }
    if (of === null) return;
    ctx.globalAlpha = 1;
    ctx.font = `${11 * dot}px system-ui, sans-serif`;
    ctx.textAlign = "left";
    ctx.textBaseline = "bottom";
    ctx.fillStyle = palette.colour("--muted");
    ctx.fillText(fitted(ctx, `limits of ${of}`, width - 8 * dot), left + 4 * dot, top + height - 3 * dot);
  });
}

export function drawGaps(sheet: Sheet, gaps: readonly Gap[]): void {
  const { ctx, left, top, width, height, dot, xOf } = sheet;
  clipped(sheet, () => {
    ctx.font = `${11 * dot}px system-ui, sans-serif`;
    ctx.textAlign = "left";
    ctx.textBaseline = "top";
    for (const { from, to, kind } of gaps) {
      const start = Math.max(left, xOf(from));
      const end = Math.min(left + width, xOf(to));
      if (end <= start) continue;
      const pattern = palette.pattern(ctx, kind);
      if (pattern !== null) {
        ctx.fillStyle = pattern;
        ctx.fillRect(start, top, Math.max(dot, end - start), height);
      }
      const word = GAP_WORDS[kind];
      if (ctx.measureText(word).width + 8 * dot > end - start) continue;
      ctx.fillStyle = palette.colour("--muted");
      ctx.fillText(word, start + 4 * dot, top + 3 * dot);
    }
  });
}

export function drawFrozen(sheet: Sheet, since: number | null): void {
  if (since === null) return;
  const { ctx, left, top, width, height, dot, xOf } = sheet;
  const start = Math.max(left, xOf(since));
  if (start >= left + width) return;
  clipped(sheet, () => {
    const pattern = palette.pattern(ctx, "unknown");
    if (pattern !== null) ctx.fillStyle = pattern;
    ctx.fillRect(start, top, left + width - start, height);
    ctx.font = `${11 * dot}px system-ui, sans-serif`;
    ctx.textAlign = "left";
    ctx.textBaseline = "bottom";
    ctx.fillStyle = palette.colour("--lost-text");
    const room = left + width - start - 8 * dot;
    if (room > 60 * dot)
      ctx.fillText(fitted(ctx, "no connection", room), start + 4 * dot, top + height - 3 * dot);
  });
}
