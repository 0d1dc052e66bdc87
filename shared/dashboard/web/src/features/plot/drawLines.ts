// Draws a chart's lines: envelope, stroke, points no line touches, marks out of limits, and names at their ends.
import type { Status } from "../../shell/StatusSymbol";
import { strokesOf } from "../../telemetry/series";
import { clipped, type Sheet, STATUS_COLOUR } from "./draw";
import { BEYOND, type ChartLine, isStepped, lookOf } from "./lines";
import { fitted, palette, spread } from "./paint";
import { statusAt } from "./zones";

/** Closer marks of one line are one mark. */
const MARK_EVERY_PX = 9;
const LABEL_PX = 13;

export function drawLine(sheet: Sheet, line: ChartLine, index: number): void {
  const { ctx, dot } = sheet;
  const look = lookOf(index);
  const colour = palette.colour(look.colour);
  const strokes = strokesOf(line.series, line.gapMs);
  clipped(sheet, () => {
    ctx.fillStyle = colour;
    ctx.strokeStyle = colour;
    if (!isStepped(line.parameter)) {
      ctx.globalAlpha = 0.22;
      for (const [start, end] of strokes) fillEnvelope(sheet, line, start, end);
      ctx.globalAlpha = 1;
    }
    ctx.lineWidth = 1.5 * dot;
    ctx.setLineDash(look.dash.map((length) => length * dot));
    ctx.beginPath();
    for (const [start, end] of strokes) if (end - start > 1) trace(sheet, line, start, end);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.lineWidth = dot;
    for (const [start, end] of strokes) if (end - start === 1) drawPoint(sheet, line, start);
    drawMarks(sheet, line);
  });
}

function fillEnvelope({ ctx, xOf, yOf }: Sheet, { series }: ChartLine, start: number, end: number): void {
  if (series.bucketMs <= 0 || end - start < 2) return;
  const { times, min, max } = series;
  ctx.beginPath();
  for (let index = start; index < end; index += 1) ctx.lineTo(xOf(times[index] ?? 0), yOf(max[index] ?? 0));
  for (let index = end - 1; index >= start; index -= 1)
    ctx.lineTo(xOf(times[index] ?? 0), yOf(min[index] ?? 0));
  ctx.fill();
}

function trace({ ctx, xOf, yOf }: Sheet, line: ChartLine, start: number, end: number): void {
  const { times, last } = line.series;
  const stepped = isStepped(line.parameter);
  ctx.moveTo(xOf(times[start] ?? 0), yOf(last[start] ?? 0));
  for (let index = start + 1; index < end; index += 1) {
    const x = xOf(times[index] ?? 0);
    if (stepped) ctx.lineTo(x, yOf(last[index - 1] ?? 0));
    ctx.lineTo(x, yOf(last[index] ?? 0));
  }
}

/** A value between two gaps has no line; without a dot and a whisker it would be invisible. */
function drawPoint({ ctx, dot, xOf, yOf }: Sheet, { series }: ChartLine, index: number): void {
  const value = series.last[index] ?? 0;
  const x = xOf(series.times[index] ?? 0);
  ctx.beginPath();
  ctx.moveTo(x, yOf(series.min[index] ?? value));
  ctx.lineTo(x, yOf(series.max[index] ?? value));
  ctx.stroke();
  ctx.beginPath();
  ctx.arc(x, yOf(value), 2 * dot, 0, 2 * Math.PI);
  ctx.fill();
}

/** Out of limits a point has the shape of its severity; beyond the axis it is an arrow at the chart's edge. */
function drawMarks(sheet: Sheet, { series, limits }: ChartLine): void {
  const { ctx, dot, left, top, width, height, xOf, yOf } = sheet;
  let free = left - MARK_EVERY_PX * dot;
  for (let index = 0; index < series.times.length; index += 1) {
    const [min, max] = [series.min[index] ?? null, series.max[index] ?? null];
    if (min === null || max === null) continue;
    const x = xOf(series.times[index] ?? 0);
    if (x < free || x > left + width) continue;
    const isBeyond = max > BEYOND || min < -BEYOND;
    const worst = [max, min]
      .map((value) => ({ value, status: statusAt(value, limits) }))
      .find((v) => v.status !== null);
    if (!isBeyond && worst === undefined) continue;
    free = x + MARK_EVERY_PX * dot;
    if (isBeyond) drawArrow(sheet, x, max > BEYOND ? top : top + height, max > BEYOND ? 1 : -1);
    else if (worst?.status) drawShape(ctx, worst.status, x, yOf(worst.value), 4 * dot);
  }
}

function drawArrow({ ctx, dot }: Sheet, x: number, edge: number, down: number): void {
  ctx.beginPath();
  ctx.moveTo(x, edge);
  ctx.lineTo(x - 4 * dot, edge + 7 * dot * down);
  ctx.lineTo(x + 4 * dot, edge + 7 * dot * down);
  ctx.closePath();
  ctx.fill();
}

function drawShape(ctx: CanvasRenderingContext2D, status: Status, x: number, y: number, r: number): void {
  ctx.save();
  ctx.fillStyle = palette.colour(STATUS_COLOUR[status]);
  ctx.strokeStyle = palette.colour("--panel");
  ctx.lineWidth = r / 4;
  ctx.beginPath();
  if (status === "critical") {
    ctx.moveTo(x, y - r);
    ctx.lineTo(x + r, y + r);
    ctx.lineTo(x - r, y + r);
  } else if (status === "serious") {
    ctx.moveTo(x, y - r);
    ctx.lineTo(x + r, y);
    ctx.lineTo(x, y + r);
    ctx.lineTo(x - r, y);
  } else ctx.rect(x - r * 0.8, y - r * 0.8, r * 1.6, r * 1.6);
  ctx.closePath();
  ctx.fill();
  ctx.stroke();
  ctx.restore();
}

export interface EndLabel {
  index: number;
  name: string;
  /** Where the line ends, in canvas pixels. */
  y: number;
}

/** Each line's name beside its end, in its colour: nobody has to look for it in a legend. */
export function drawEndLabels(sheet: Sheet, labels: readonly EndLabel[], x: number, room: number): void {
  const { ctx, dot, top, height } = sheet;
  const places = spread(
    labels.map(({ y }) => Math.min(top + height, Math.max(top, y))),
    LABEL_PX * dot,
    top + 6 * dot,
    top + height - 6 * dot,
  );
  ctx.save();
  ctx.font = `${11 * dot}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  for (const [place, { index, name }] of labels.entries()) {
    const look = lookOf(index);
    const y = places[place] ?? 0;
    ctx.strokeStyle = palette.colour(look.colour);
    ctx.lineWidth = 2 * dot;
    ctx.setLineDash(look.dash.map((length) => length * dot));
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x + 16 * dot, y);
    ctx.stroke();
    ctx.fillStyle = palette.colour("--text");
    ctx.fillText(fitted(ctx, name, room - 24 * dot), x + 20 * dot, y);
  }
  ctx.restore();
}
