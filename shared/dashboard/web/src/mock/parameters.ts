// The mock missions' parameters and the signals behind them: pure functions of time, so that history and
// live values agree.
import type { ParameterDescription, ParameterKind, Sample, Value } from "../types";

export interface MockParameter {
  description: ParameterDescription;
  period: number;
  /** Milliseconds before now after which nothing came any more, or `null` while it still comes. */
  silentSince: number | null;
  centre: number;
  swing: number;
  seed: number;
}

type Row = [
  path: string,
  kind: ParameterKind,
  unit: string | null,
  centre: number,
  swing: number,
  text: string,
];

const AURORA: Row[] = [
  ["/aurora/eps/battery_voltage", "float", "V", 28.4, 0.9, "Main bus voltage at the battery"],
  ["/aurora/eps/battery_current", "float", "A", -1.2, 3.1, "Positive while charging"],
  ["/aurora/eps/battery_state", "enumeration", null, 0, 0, "Charge regulator state"],
  ["/aurora/eps/solar_array_power", "float", "W", 412, 390, "Sum of both wings"],
  ["/aurora/eps/heater_on", "boolean", null, 0, 0, "Battery heater switch"],
  ["/aurora/thermal/panel_x_temperature", "float", "°C", 14, 31, "Panel +X, outer face"],
  ["/aurora/thermal/panel_y_temperature", "float", "°C", -8, 27, "Panel +Y, outer face"],
  ["/aurora/thermal/tank_temperature", "float", "°C", 21.3, 1.4, "Propellant tank"],
  ["/aurora/adcs/mode", "enumeration", null, 0, 0, "Attitude control mode"],
  ["/aurora/adcs/rate_x", "float", "deg/s", 0.002, 0.0009, "Body rate about X"],
  ["/aurora/adcs/rate_y", "float", "deg/s", 0.0011, 0.0007, "Body rate about Y"],
  ["/aurora/adcs/rate_z", "float", "deg/s", 0.0604, 0.001, "Body rate about Z"],
  ["/aurora/adcs/wheel_1_speed", "integer", "rpm", 2140, 260, "Reaction wheel 1"],
  ["/aurora/adcs/wheel_2_speed", "integer", "rpm", -1875, 240, "Reaction wheel 2"],
  ["/aurora/obc/boot_time", "time", null, 0, 0, "When the processor last started"],
  ["/aurora/obc/cpu_load", "float", "%", 38, 17, "Processor load, one-minute mean"],
  ["/aurora/obc/software_version", "string", null, 0, 0, "Flight software"],
  ["/aurora/obc/last_frame", "binary", null, 0, 0, "Header of the last command frame"],
  ["/aurora/comms/rssi", "float", "dBm", -97, 9, "Signal strength at the receiver"],
  ["/aurora/comms/lock", "boolean", null, 0, 0, "Receiver carrier lock"],
];

const KESTREL: Row[] = [
  ["/kestrel/mobility/odometer", "float", "m", 1840, 0.4, "Distance driven"],
  ["/kestrel/mobility/drive_state", "enumeration", null, 0, 0, "Drive controller state"],
  ["/kestrel/power/bus_voltage", "float", "V", 31.9, 0.3, "Bus voltage"],
];

type Quality = Pick<Sample, "monitoring" | "validity">;

/** What is not in its place, for each way in which it can be. */
const QUALITIES: Record<string, Quality> = {
  "/aurora/eps/battery_voltage": { validity: "valid", monitoring: "normal" },
  "/aurora/thermal/panel_x_temperature": { validity: "valid", monitoring: "warning" },
  "/aurora/thermal/panel_y_temperature": { validity: "outside-calibration", monitoring: "not-monitored" },
  "/aurora/adcs/rate_x": { validity: "outside-valid-range", monitoring: "not-monitored" },
  "/aurora/adcs/rate_y": { validity: "not-a-number", monitoring: "not-monitored" },
  "/aurora/adcs/wheel_1_speed": { validity: "valid", monitoring: "distress" },
  "/aurora/adcs/wheel_2_speed": { validity: "valid", monitoring: "critical" },
  "/aurora/obc/cpu_load": { validity: "valid", monitoring: "watch" },
};

export function qualityOf({ description }: MockParameter): Quality {
  return QUALITIES[description.name] ?? { validity: "valid", monitoring: "not-monitored" };
}

const LABELS = ["IDLE", "NOMINAL", "SAFE", "MAINTENANCE"];

export function definitions(): Map<string, MockParameter[]> {
  const strings: Row[] = Array.from({ length: 180 }, (_, index) => {
    const string = `string_${String(Math.floor(index / 2) + 1).padStart(2, "0")}`;
    const [name, unit, centre] = index % 2 === 0 ? ["current", "A", 1.9] : ["voltage", "V", 32.1];
    return [
      `/aurora/eps/array/${string}_${name}`,
      "float",
      unit as string,
      centre as number,
      0.4,
      "Solar array string",
    ];
  });
  return new Map([
    ["aurora-1", [...AURORA, ...strings].map(parameter)],
    ["kestrel", KESTREL.map(parameter)],
  ]);
}

function parameter([name, kind, unit, centre, swing, description]: Row, index: number): MockParameter {
  return {
    description: {
      name,
      short_name: name.slice(name.lastIndexOf("/") + 1),
      description,
      unit,
      kind,
      labels: kind === "enumeration" ? LABELS.map((label, value) => ({ value, label })) : [],
    },
    period: index < 5 ? 500 : index < 20 ? 1000 : 4000,
    silentSince: name.endsWith("tank_temperature") ? 95_000 : name.endsWith("rssi") ? 2_460_000 : null,
    centre,
    swing,
    seed: index,
  };
}

export function numericAt({ description, centre, swing, seed }: MockParameter, at: number): number | null {
  const orbit = (2 * Math.PI * at) / 5_640_000 + seed;
  switch (description.kind) {
    case "float":
      return centre + swing * (0.8 * Math.sin(orbit) + 0.12 * Math.sin(at / 17_000) + 0.08 * noise(at, seed));
    case "integer":
      return Math.round(centre + swing * Math.sin(orbit));
    case "boolean":
      return Math.sin(orbit * 9) > 0.2 ? 1 : 0;
    case "enumeration":
      return Math.floor((Math.sin(orbit * 4) + 1) * 1.499);
    default:
      return null;
  }
}

export function valueAt(parameter: MockParameter, at: number): Value {
  const number = numericAt(parameter, at);
  const { validity } = qualityOf(parameter);
  if (validity === "outside-calibration") return null;
  if (validity === "not-a-number") return "NaN";
  switch (parameter.description.kind) {
    case "boolean":
      return number === 1;
    case "enumeration":
      return LABELS[number ?? 0] ?? null;
    case "string":
      return "4.2.1-flight";
    case "binary":
      return "hex:1acffc1d0042";
    case "time":
      return "2026-11-20T03:14:15.926535897Z";
    default:
      return number;
  }
}

export function rawAt(parameter: MockParameter, at: number): Value {
  const number = numericAt(parameter, at);
  if (parameter.description.kind !== "float" || number === null) return number ?? valueAt(parameter, at);
  return Math.round((number / (Math.abs(parameter.centre) + parameter.swing)) * 2047) + 2048;
}

function noise(at: number, seed: number): number {
  const mixed = Math.sin(at * 0.0129898 + seed * 78.233) * 43758.5453;
  return (mixed - Math.floor(mixed)) * 2 - 1;
}
