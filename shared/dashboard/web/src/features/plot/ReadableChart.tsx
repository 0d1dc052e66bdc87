// A chart that is read without seeing it: the arrow keys go from point to point and line to line, and say what is there.
import { type KeyboardEvent, useState } from "react";
import { useTheme } from "../../shell/theme";
import { Chart, type ChartProps } from "./Chart";
import { moveCursor, nearestIndex, readOut } from "./cursor";
import { Legend } from "./Legend";
import type { ChartLine } from "./lines";
import { useSharedCursor } from "./sharedCursor";
import { severityAt } from "./zones";

interface Props extends Omit<ChartProps, "theme"> {
  /** What is charted, in words. */
  name: string;
}

export function ReadableChart({ name, ...chart }: Props) {
  const theme = useTheme((state) => state.theme);
  const [read, setRead] = useState(0);
  const [spoken, setSpoken] = useState("");
  const { lines } = chart;

  const onKey = (event: KeyboardEvent) => {
    const { point, time } = useSharedCursor.getState();
    if (event.key === "Escape") {
      point(null);
      setSpoken("");
      return;
    }
    const chosen = nextLine(event.key, read, lines.length);
    const line = lines[chosen];
    if (line === undefined) return;
    const { times } = line.series;
    const at = time === null ? null : nearestIndex(times, time);
    const next = chosen === read ? moveCursor(event.key, at, times.length) : (at ?? times.length - 1);
    if (next === null || next < 0) return;
    event.preventDefault();
    setRead(chosen);
    point(times[next] ?? null);
    setSpoken(said(line, next, lines.length > 1));
  };

  return (
    <>
      {/* A chart is read point by point, like a slider, but changes nothing: `application` passes the arrow keys on. */}
      <div
        className="chart-focus"
        role="application"
        aria-roledescription="chart"
        aria-label={`Chart of ${name}. Left and right arrow keys read its values${lines.length > 1 ? ", up and down choose a line" : ""}.`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the cursor is moved with the arrow keys.
        tabIndex={0}
        onKeyDown={onKey}
      >
        <Chart {...chart} theme={theme} />
      </div>
      <Legend lines={lines} gaps={chart.gaps} />
      <output className="visually-hidden" aria-live="polite" data-testid="cursor-value">
        {spoken}
      </output>
    </>
  );
}

function nextLine(key: string, read: number, lines: number): number {
  const step = { ArrowDown: 1, ArrowUp: -1 }[key] ?? 0;
  return Math.min(lines - 1, Math.max(0, read + step));
}

function said(line: ChartLine, index: number, named: boolean): string {
  const value = line.series.last[index] ?? null;
  const severity = value === null ? null : severityAt(value, line.limits);
  const text = readOut(line.series, index, line.parameter) + (severity === null ? "" : `, ${severity}`);
  return named ? `${line.parameter.short_name}: ${text}` : text;
}
