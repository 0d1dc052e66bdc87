// The chart itself, on a canvas that only notes what it is asked for.
import { act, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ParameterDescription } from "../../types";
import type { ChartProps } from "./Chart";
import type { ChartLine } from "./lines";
import { useSharedCursor } from "./sharedCursor";
import type { Gap } from "./silences";
import { type LimitSet, zonesOf } from "./zones";

const FROM = Date.parse("2026-11-22T12:00:00Z");
const SECOND = 1000;
const WINDOW = { from: FROM, to: FROM + 100 * SECOND };
const LIMITS: LimitSet = {
  zones: zonesOf([{ severity: "critical", high: 50 }]),
  states: new Map(),
  isPartial: false,
};

const drawn: [name: string, args: unknown[]][] = [];
const of = (name: string) => drawn.filter(([called]) => called === name).map(([, args]) => args);
/** uPlot draws when the caller is done. */
const settled = () => act(async () => {});

beforeEach(() => {
  drawn.length = 0;
  useSharedCursor.setState({ time: null });
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation(function (this: HTMLCanvasElement) {
    const kept: Record<string | symbol, unknown> = { canvas: this };
    return new Proxy(kept, {
      get: (_, name) => {
        if (name in kept) return kept[name];
        if (name === "measureText") return (text: string) => ({ width: text.length * 6 });
        return (...args: unknown[]) => {
          drawn.push([String(name), args]);
          return null;
        };
      },
    }) as unknown as RenderingContext;
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

function line(name: string, values: (number | null)[], changes: Partial<ChartLine> = {}): ChartLine {
  const parameter: ParameterDescription = {
    name: `/aurora/${name}`,
    short_name: name,
    kind: "integer",
    unit: "V",
    labels: [],
  };
  const series = {
    times: values.map((_, index) => FROM + index * 10 * SECOND),
    min: values,
    max: values,
    last: values,
    newest: null,
    bucketMs: 0,
  };
  return { parameter, series, gapMs: 15 * SECOND, silences: [], lack: "no sample", limits: null, ...changes };
}

// Loaded when a canvas can be had: uPlot looks for what it needs as it is loaded.
const { Chart } = await import("./Chart");
const { ReadableChart } = await import("./ReadableChart");
const { Legend } = await import("./Legend");
const { PlotTable } = await import("./PlotTable");

const props = (changes: Partial<ChartProps> = {}): ChartProps => ({
  lines: [line("bus_voltage", [27, 28, 60], { limits: LIMITS })],
  window: WINDOW,
  gaps: [],
  frozenSince: null,
  fit: "values",
  theme: "dark",
  onWidth: () => {},
  ...changes,
});

test("it says how wide it is, and draws its line over the time that is shown", async () => {
  const onWidth = vi.fn();
  render(<Chart {...props({ onWidth })} />);
  await settled();
  expect(onWidth).toHaveBeenCalledWith(1200);
  // The one value that is out of limits has its mark.
  expect(of("closePath").length).toBeGreaterThan(0);
  expect(of("fillText").some(([text]) => String(text).endsWith(" V"))).toBe(true);
  expect(of("fillText").some(([text]) => text === "12:01:00")).toBe(true);
});

test("it draws again for other samples, and not for a time that moved by less than a pixel", async () => {
  const shown = props();
  const { rerender } = render(<Chart {...shown} />);
  await settled();
  drawn.length = 0;
  rerender(<Chart {...shown} window={{ from: FROM + 1, to: WINDOW.to + 1 }} />);
  await settled();
  expect(drawn).toEqual([]);
  rerender(<Chart {...shown} lines={[line("bus_voltage", [27, 28, 60, 61], { limits: LIMITS })]} />);
  await settled();
  expect(of("closePath")).toHaveLength(2);
});

test("the names of several lines stand at their ends, and the limits of one are drawn", async () => {
  const lines = [line("bus_voltage", [27, 28], { limits: LIMITS }), line("battery_voltage", [29, 52])];
  render(<Chart {...props({ lines, fit: "limits" })} />);
  await settled();
  const texts = of("fillText").map(([text]) => String(text).replace(/[⁨⁩]/g, ""));
  expect(texts).toEqual(expect.arrayContaining(["bus_voltage", "battery_voltage"]));
  expect(texts.some((text) => text.includes("limits of bus_voltage"))).toBe(true);
});

test("the moment another chart points at is shown here, unless it lies outside", async () => {
  const { container } = render(<Chart {...props()} />);
  await settled();
  const cursor = () => container.querySelector<HTMLElement>(".u-cursor-x");
  act(() => useSharedCursor.getState().point(FROM + 50 * SECOND));
  const middle = cursor()?.style.transform ?? "";
  act(() => useSharedCursor.getState().point(FROM + 90 * SECOND));
  expect(cursor()?.style.transform).not.toBe(middle);
  act(() => useSharedCursor.getState().point(FROM - SECOND));
  expect(cursor()?.style.transform).toMatch(/^translate\(-10px/);
});

test("what is left of it when it goes is nothing", async () => {
  const { container, unmount } = render(<Chart {...props()} />);
  await settled();
  expect(container.querySelector(".uplot")).not.toBeNull();
  unmount();
  drawn.length = 0;
  act(() => useSharedCursor.getState().point(FROM + 50 * SECOND));
  await settled();
  expect(drawn).toEqual([]);
});

function openReadable(lines: ChartLine[]) {
  const { theme: _, ...chart } = props({ lines });
  render(<ReadableChart name="voltages" {...chart} />);
  const chartOf = screen.getByRole("application", { name: /^Chart of voltages/ });
  return {
    press: (key: string) => fireEvent.keyDown(chartOf, { key }),
    spoken: () => screen.getByTestId("cursor-value").textContent,
  };
}

test("arrow keys read a chart value by value, from the newest", () => {
  const { press, spoken } = openReadable([line("bus_voltage", [27, 28, 60], { limits: LIMITS })]);
  press("ArrowLeft");
  expect(spoken()).toBe("12:00:20.000Z, 60 V, critical");
  press("ArrowLeft");
  expect(spoken()).toBe("12:00:10.000Z, 28 V");
  press("Home");
  expect(spoken()).toBe("12:00:00.000Z, 27 V");
  press("Escape");
  expect(spoken()).toBe("");
  expect(useSharedCursor.getState().time).toBeNull();
});

test("up and down choose a line and stay at the moment", () => {
  const lines = [line("bus_voltage", [27, 28, 60]), line("battery_voltage", [30, 31, null])];
  const { press, spoken } = openReadable(lines);
  press("Home");
  press("ArrowDown");
  expect(spoken()).toBe("battery_voltage: 12:00:00.000Z, 30 V");
  press("End");
  expect(spoken()).toBe("battery_voltage: 12:00:20.000Z, no value");
  press("ArrowUp");
  expect(spoken()).toBe("bus_voltage: 12:00:20.000Z, 60 V");
  press("ArrowUp");
  expect(spoken()).toBe("bus_voltage: 12:00:20.000Z, 60 V");
});

test("keys that read nothing are left to the page", () => {
  const { press, spoken } = openReadable([line("bus_voltage", [27])]);
  expect(press("a")).toBe(true);
  expect(spoken()).toBe("");
  expect(press("ArrowLeft")).toBe(false);
});

test("the legend says each line's value at the cursor, and what gaps mean, each once", () => {
  const gaps: Gap[] = [
    { from: FROM, to: FROM + SECOND, kind: "lost" },
    { from: FROM + 2 * SECOND, to: FROM + 3 * SECOND, kind: "lost" },
    { from: FROM + 4 * SECOND, to: FROM + 5 * SECOND, kind: "waiting" },
  ];
  const lines = [line("bus_voltage", [27, 60], { limits: LIMITS }), line("battery_voltage", [])];
  render(<Legend lines={lines} gaps={gaps} />);
  const items = () => screen.getAllByRole("listitem").map((item) => item.textContent);
  expect(items()).toEqual([
    "bus_voltage60 V critical12:00:10Z",
    "battery_voltageno sample",
    "bands: limits of bus_voltage",
    "lost",
    "still at the station",
  ]);
  act(() => useSharedCursor.getState().point(FROM + SECOND));
  expect(items()[0]).toBe("bus_voltage27 V12:00:00Z");
});

test("that some limits are not drawn is said where they would be, and none is taken for kept", () => {
  const lines = [line("bus_voltage", [27], { limits: { ...LIMITS, isPartial: true } })];
  render(
    <>
      <Legend lines={lines} gaps={[]} />
      <PlotTable lines={lines} />
    </>,
  );
  expect(screen.getAllByRole("listitem")[1]?.textContent).toBe(
    "under a condition other limits of bus_voltage count, which are not drawn",
  );
  expect(screen.getByRole("cell", { name: "within, where no condition holds" })).toBeTruthy();
});

test("the table has the newest first, by line, with what the limits say", () => {
  const lines = [line("bus_voltage", [27, 60], { limits: LIMITS }), line("battery_voltage", [null])];
  render(<PlotTable lines={lines} />);
  const table = screen.getByRole("table", { name: "Newest values of bus_voltage, battery_voltage" });
  const rows = within(table)
    .getAllByRole("row")
    .map((row) => [...row.children].map((cell) => cell.textContent));
  expect(rows).toEqual([
    ["Generated (UTC)", "Parameter", "Value", "Limits now"],
    ["2026-11-22 12:00:10.000Z", "bus_voltage", "60 V", "critical"],
    ["2026-11-22 12:00:00.000Z", "bus_voltage", "27 V", "within"],
    ["2026-11-22 12:00:00.000Z", "battery_voltage", "no value", ""],
  ]);
});

test("a table of summed samples shows their spread, and at most 200 rows", () => {
  const values = Array.from({ length: 300 }, (_, index) => index);
  const { series, ...rest } = line("bus_voltage", values);
  const min = values.map((value) => value - 1);
  const max = values.map((value) => value + 1);
  render(<PlotTable lines={[{ ...rest, series: { ...series, min, max, bucketMs: 10 * SECOND } }]} />);
  const rows = screen.getAllByRole("row");
  expect(rows).toHaveLength(201);
  expect(rows[1]?.textContent).toBe("2026-11-22 12:49:50Z299 V298 V300 V");
});
