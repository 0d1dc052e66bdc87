// The kinds of widgets: what each is called, takes, and is drawn by. Those with charts are loaded with the first of them.
import "./widgets.css";
import "../../plot/chart.css";
import { type ComponentType, lazy } from "react";
import { LINES_MAX } from "../../plot/lines";
import type { Field, Opts } from "../layout/opts";
import { AlarmsWidget } from "./AlarmsWidget";
import { EventsWidget } from "./EventsWidget";
import { GaugeWidget } from "./GaugeWidget";
import { LatestValuesWidget } from "./LatestValuesWidget";
import { ScatterWidget } from "./ScatterWidget";
import { StateTimelineWidget } from "./StateTimelineWidget";
import { StatusMatrixWidget } from "./StatusMatrixWidget";
import { TextWidget } from "./TextWidget";
import { ValueWidget } from "./ValueWidget";

export interface WidgetProps {
  mission: string;
  /** The widget's heading, for names of tables and charts. */
  name: string;
  opts: Opts;
  asTable: boolean;
}

export interface Kind {
  kind: string;
  label: string;
  what: string;
  /** Columns and rows of a new one. */
  size: readonly [w: number, h: number];
  fields: readonly Field[];
  /** Whether it has a table twin; the others are tables, lists or text themselves. */
  hasTwin: boolean;
  component: ComponentType<WidgetProps>;
}

const parameters = (min: number, max: number, curves = false): Field => ({
  kind: "parameters",
  name: "parameters",
  label: max === 1 ? "Parameter" : "Parameters",
  min,
  max,
  curves,
});
const SCALE: readonly Field[] = [
  { kind: "number", name: "low", label: "Scale from", hint: "from the limits when empty" },
  { kind: "number", name: "high", label: "Scale to", hint: "from the limits when empty" },
];

export const KINDS: readonly Kind[] = [
  {
    kind: "line-plot",
    label: "Line plot",
    what: `up to ${LINES_MAX} parameters over time, with limits and gaps`,
    size: [12, 9],
    fields: [
      parameters(1, LINES_MAX, true),
      {
        kind: "choice",
        name: "fit",
        label: "Axis shows",
        options: [
          ["values", "the values, and limits that are near"],
          ["limits", "all limits too"],
        ],
      },
    ],
    hasTwin: true,
    component: lazy(async () => ({ default: (await import("./LinePlotWidget")).LinePlotWidget })),
  },
  {
    kind: "value",
    label: "Value",
    what: "one parameter in large figures, and how it came there",
    size: [6, 5],
    fields: [parameters(1, 1)],
    hasTwin: true,
    component: ValueWidget,
  },
  {
    kind: "gauge",
    label: "Gauge",
    what: "one number on a scale with its limits",
    size: [6, 5],
    fields: [parameters(1, 1, true), ...SCALE],
    hasTwin: true,
    component: GaugeWidget,
  },
  {
    kind: "latest-values",
    label: "Latest values",
    what: "a table of parameters with their newest values and ages",
    size: [8, 8],
    fields: [parameters(1, 200)],
    hasTwin: false,
    component: LatestValuesWidget,
  },
  {
    kind: "status-matrix",
    label: "Status matrix",
    what: "many parameters at a glance: how each stands to its limits",
    size: [8, 7],
    fields: [parameters(1, 200)],
    hasTwin: true,
    component: StatusMatrixWidget,
  },
  {
    kind: "state-timeline",
    label: "State timeline",
    what: "modes and switches over time",
    size: [12, 5],
    fields: [parameters(1, 20, true)],
    hasTwin: true,
    component: StateTimelineWidget,
  },
  {
    kind: "scatter",
    label: "Scatter",
    what: "one parameter against another",
    size: [8, 9],
    fields: [parameters(2, 2, true)],
    hasTwin: true,
    component: ScatterWidget,
  },
  {
    kind: "alarms",
    label: "Alarms",
    what: "the mission's open alarms, the most urgent first",
    size: [12, 7],
    fields: [],
    hasTwin: false,
    component: AlarmsWidget,
  },
  {
    kind: "events",
    label: "Events",
    what: "what stations and the hub say of the mission",
    size: [8, 7],
    fields: [
      {
        kind: "choice",
        name: "severity",
        label: "Shows",
        options: [
          ["info", "all events"],
          ["warning", "warnings and errors"],
          ["error", "errors only"],
        ],
      },
    ],
    hasTwin: false,
    component: EventsWidget,
  },
  {
    kind: "map",
    label: "Map",
    what: "the stations on a small map, and the spacecraft's way over them",
    size: [10, 9],
    fields: [],
    hasTwin: true,
    component: lazy(async () => ({ default: (await import("./MapWidget")).MapWidget })),
  },
  {
    kind: "text",
    label: "Text",
    what: "a note that stays on the dashboard",
    size: [6, 4],
    fields: [{ kind: "text", name: "text", label: "Text", lines: 6, required: true }],
    hasTwin: false,
    component: TextWidget,
  },
];

/** Every widget may have a heading of its own. */
export const TITLE: Field = { kind: "text", name: "title", label: "Heading", lines: 1, required: false };

export function kindOf(kind: string): Kind | undefined {
  return KINDS.find((known) => known.kind === kind);
}
