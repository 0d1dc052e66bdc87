// What uPlot does not draw itself: points that no line touches, and the span in which nothing could arrive.
import type uPlot from "uplot";

/** A value between two gaps has no line; without a mark it would be invisible. */
export function drawLonePoints(chart: uPlot, colour: string): void {
  const [times, last, min, max] = chart.data as [
    number[],
    (number | null)[],
    (number | null)[],
    (number | null)[],
  ];
  const { ctx } = chart;
  ctx.save();
  ctx.fillStyle = colour;
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  for (const [index, time] of times.entries()) {
    const value = last[index] ?? null;
    if (value === null || (last[index - 1] ?? null) !== null || (last[index + 1] ?? null) !== null) continue;
    const x = chart.valToPos(time, "x", true);
    if (x < chart.bbox.left || x > chart.bbox.left + chart.bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, chart.valToPos(min[index] ?? value, "y", true));
    ctx.lineTo(x, chart.valToPos(max[index] ?? value, "y", true));
    ctx.stroke();
    ctx.beginPath();
    ctx.arc(x, chart.valToPos(value, "y", true), 2 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fill();
  }
  ctx.restore();
}

export function drawFrozen(chart: uPlot, since: number | null, colour: string): void {
  if (since === null) return;
  const { ctx, bbox } = chart;
  const left = Math.max(bbox.left, chart.valToPos(since / 1000, "x", true));
  const right = bbox.left + bbox.width;
  if (left >= right) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, bbox.top, right - left, bbox.height);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  for (let x = left - bbox.height; x < right; x += 8 * devicePixelRatio) {
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x + bbox.height, bbox.top);
  }
  ctx.stroke();
  ctx.restore();
}
