// Moves the chart's cursor from point to point and says what is there.
import { realValue } from "../../format/quantity";
import { preciseClockTime } from "../../format/time";
import type { Series } from "../../telemetry/series";
import type { ParameterDescription } from "../../types";

const PAGE = 20;

/** The index a key leads to, or `null` when the key does not move the cursor. Without a cursor it starts at the newest. */
export function moveCursor(key: string, at: number | null, points: number): number | null {
  if (points === 0) return null;
  const last = points - 1;
  const step = { ArrowLeft: -1, ArrowRight: 1, End: points, Home: -points, PageDown: PAGE, PageUp: -PAGE }[
    key
  ];
  if (step === undefined) return null;
  if (at === null) return key === "Home" ? 0 : last;
  return Math.min(last, Math.max(0, at + step));
}

export function nearestIndex(times: readonly number[], time: number): number | null {
  if (times.length === 0) return null;
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  const before = times[low - 1];
  return before !== undefined && time - before < (times[low] ?? 0) - time ? low - 1 : low;
}

/** `12:31:05.250Z, 27.412 °C`, with the extremes where one point stands for several samples. */
export function readOut(series: Series, index: number, parameter: ParameterDescription): string {
  const time = series.times[index];
  if (time === undefined) return "";
  const [min, max] = [series.min[index] ?? null, series.max[index] ?? null];
  const value = pointText(series.last[index] ?? null, parameter);
  const spread = min === max ? "" : `, from ${pointText(min, parameter)} to ${pointText(max, parameter)}`;
  return `${preciseClockTime(time)}, ${value}${spread}`;
}

/** A charted number as people read it: labels for enumerations and booleans, a unit for the rest. */
export function pointText(value: number | null, parameter: ParameterDescription): string {
  if (value === null) return "no value";
  if (parameter.kind === "boolean") return value === 1 ? "true" : "false";
  if (parameter.kind === "enumeration")
    return parameter.labels.find((label) => label.value === value)?.label ?? `raw ${value}`;
  const number = parameter.kind === "float" ? realValue(value) : String(value);
  return parameter.unit ? `${number} ${parameter.unit}` : number;
}

const DECIMALS_MAX = 6;

/** Labels of an axis, all with as many decimals as its steps need: 31.770 beside 31.775. */
export function valueLabels(splits: readonly number[]): string[] {
  const step = Math.abs((splits[1] ?? 0) - (splits[0] ?? 0));
  const largest = Math.max(...splits.map(Math.abs));
  const whole = (decimals: number) => {
    const scaled = step * 10 ** decimals;
    return scaled > 0.5 && Math.abs(scaled - Math.round(scaled)) < 1e-6;
  };
  const decimals = Array.from({ length: DECIMALS_MAX + 1 }, (_, index) => index).find(whole);
  if (decimals === undefined || largest >= 1e9) return splits.map((split) => split.toExponential(3));
  return splits.map((split) => split.toFixed(decimals));
}
