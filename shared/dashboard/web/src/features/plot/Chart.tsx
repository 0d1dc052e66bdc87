// A chart of several lines: their envelopes and limits, why there are gaps, and one cursor for all charts of a page.
import "uplot/dist/uPlot.min.css";
import "./chart.css";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { chartOptions, type Hooks, namesRoom, shapeOf } from "./chartOptions";
import { drawFrozen, drawGaps, drawZones, type Sheet } from "./draw";
import { drawEndLabels, drawLine } from "./drawLines";
import { axisRange, isOnAxis, limitedLine, scaleOf } from "./lines";
import { type Drawn, looksTheSame } from "./redraw";
import { useSharedCursor } from "./sharedCursor";

export interface ChartProps extends Drawn {
  theme: string;
  /** Told the width in CSS pixels when it is known, and when it changes. */
  onWidth: (width: number) => void;
}

export function Chart(props: ChartProps) {
  const { lines, onWidth, theme } = props;
  const place = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawing | null>(null);
  const newest = useRef(props);
  newest.current = props;
  const shape = shapeOf(lines);

  // biome-ignore lint/correctness/useExhaustiveDependencies: of the lines only their shape asks for another chart.
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new Drawing(element, newest.current);
    drawing.current = made;
    const sized = new ResizeObserver(() => {
      made.resize();
      onWidth(element.clientWidth);
    });
    sized.observe(element);
    onWidth(element.clientWidth);
    const forget = useSharedCursor.subscribe(({ time }) => made.point(time));
    return () => {
      forget();
      sized.disconnect();
      made.destroy();
      drawing.current = null;
    };
  }, [shape, onWidth]);

  useEffect(() => drawing.current?.show(props));

  // Colours are read from the style sheet while drawing.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme changes what the style sheet says.
  useEffect(() => drawing.current?.redraw(), [theme]);

  return <div ref={place} className="chart" />;
}

/** Owns one uPlot and decides when there is anything new to draw. */
class Drawing {
  private readonly chart: uPlot;
  private shown: ChartProps;
  /** The pointer is here: the shared cursor is moved from here and not told back. */
  private pointing = false;

  constructor(
    private readonly element: HTMLElement,
    props: ChartProps,
  ) {
    this.shown = props;
    const hooks: Hooks = {
      rangeOf: (scale) => this.rangeOf(scale),
      onClear: (chart) => this.drawUnder(this.sheet(chart, this.firstScale())),
      onDraw: (chart) => this.drawOver(chart),
      onCursor: (chart) => this.follow(chart),
    };
    const { width, height } = size(element);
    const { lines } = props;
    const empty = [...new Set(lines.map((line) => scaleOf(line.parameter)))].map(() => [null, null]);
    this.chart = new uPlot(
      chartOptions(lines, width, height, hooks),
      [[props.window.from / 1000, props.window.to / 1000], ...empty],
      element,
    );
    this.show(props, true);
  }

  /** Draws what changed: other samples, another cause of a gap, or a window that moved by a pixel. */
  show(props: ChartProps, always = false): void {
    if (!always && looksTheSame(this.shown, props, this.chart.bbox.width)) return;
    this.shown = props;
    const { from, to } = props.window;
    this.chart.batch(() => {
      this.chart.setData([[from / 1000, to / 1000], ...this.chart.data.slice(1)] as uPlot.AlignedData, false);
      this.chart.setScale("x", { min: from / 1000, max: to / 1000 });
    });
    this.point(useSharedCursor.getState().time);
  }

  resize(): void {
    const { width, height } = size(this.element);
    if (width !== this.chart.width || height !== this.chart.height) this.chart.setSize({ width, height });
  }

  redraw(): void {
    this.chart.redraw(false, true);
  }

  point(time: number | null): void {
    if (this.pointing) return;
    const { from, to } = this.shown.window;
    const isInside = time !== null && time >= from && time <= to;
    const left = isInside ? this.chart.valToPos(time / 1000, "x") : -10;
    this.chart.setCursor(
      { left, top: isInside ? this.chart.bbox.height / devicePixelRatio / 2 : -10 },
      false,
    );
  }

  destroy(): void {
    this.chart.destroy();
  }

  private follow(chart: uPlot): void {
    const { left } = chart.cursor;
    this.pointing = true;
    const time = left === undefined || left < 0 ? null : chart.posToVal(left, "x") * 1000;
    useSharedCursor.getState().point(time);
    this.pointing = false;
  }

  private rangeOf(scale: string): [number, number] {
    return axisRange(
      this.shown.lines.filter((line) => scaleOf(line.parameter) === scale),
      this.shown.fit,
    );
  }

  private firstScale(): string {
    const [first] = this.shown.lines;
    return first === undefined ? "x" : scaleOf(first.parameter);
  }

  private drawUnder(sheet: Sheet): void {
    const { lines } = this.shown;
    const limited = limitedLine(lines);
    if (limited?.limits)
      drawZones(sheet, limited.limits, lines.length > 1 ? limited.parameter.short_name : null);
    drawGaps(sheet, this.shown.gaps);
    drawFrozen(sheet, this.shown.frozenSince);
  }

  private drawOver(chart: uPlot): void {
    const { lines } = this.shown;
    const labels = lines.flatMap((line, index) => {
      const sheet = this.sheet(chart, scaleOf(line.parameter));
      drawLine(sheet, line, index);
      const last = line.series.last.findLast((value) => value !== null);
      return isOnAxis(last) ? [{ index, name: line.parameter.short_name, y: sheet.yOf(last) }] : [];
    });
    const room = namesRoom(lines, chart.width);
    if (lines.length < 2 || room < 100) return;
    const { bbox } = chart;
    const x = chart.ctx.canvas.width - room * devicePixelRatio + 4 * devicePixelRatio;
    const right = Math.max(bbox.left + bbox.width, x);
    drawEndLabels(this.sheet(chart, this.firstScale()), labels, right, room * devicePixelRatio);
  }

  private sheet(chart: uPlot, scale: string): Sheet {
    const { left, top, width, height } = chart.bbox;
    const { from, to } = this.shown.window;
    const { min = 0, max = 1 } = chart.scales[scale] ?? {};
    const perMs = width / (to - from);
    const perUnit = height / ((max ?? 1) - (min ?? 0));
    return {
      ctx: chart.ctx,
      left,
      top,
      width,
      height,
      dot: devicePixelRatio,
      xOf: (time) => left + (time - from) * perMs,
      yOf: (value) => {
        const y = top + height - (value - (min ?? 0)) * perUnit;
        return Math.min(top + 2 * height, Math.max(top - height, y));
      },
    };
  }
}

function size(element: HTMLElement): { width: number; height: number } {
  return { width: Math.max(160, element.clientWidth), height: Math.max(90, element.clientHeight) };
}
