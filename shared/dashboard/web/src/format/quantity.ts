// Counts, bytes and telemetry values as text. Widths are steady, so that columns do not dance.
import type { Value } from "../types";

const GROUPED = new Intl.NumberFormat("en-GB");

export function count(value: number): string {
  return GROUPED.format(value);
}

export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : noun.endsWith("ch") ? "es" : "s"}`;
}

/** Per second: with a decimal where less than ten would hide what there is. */
export function rate(perSecond: number): string {
  return perSecond > 0 && perSecond < 9.95 ? perSecond.toFixed(1) : count(Math.round(perSecond));
}

/** Binary units, as in the configuration files. */
export function bytes(value: number): string {
  if (value < 1024) return `${count(value)} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"] as const;
  let scaled = value / 1024;
  let unit = 0;
  while (scaled >= 1024 && unit < units.length - 1) {
    scaled /= 1024;
    unit += 1;
  }
  return `${scaled.toFixed(scaled < 100 ? 1 : 0)} ${units[unit]}`;
}

/** About five significant digits; `valueInFull` has the rest. */
export function value(given: Value): string {
  if (typeof given === "number") return Number.isInteger(given) ? String(given) : real(given);
  if (given === null) return "no value";
  return String(given);
}

/** Like `value`, for floating-point parameters: 27 is written 27.000, so that decimals stay in line. */
export function realValue(given: Value): string {
  return typeof given === "number" ? real(given) : value(given);
}

export function valueInFull(given: Value): string {
  return given === null ? "no value" : String(given);
}

function real(given: number): string {
  const size = Math.abs(given);
  if (size === 0) return "0.0000";
  if (size >= 1e7 || size < 1e-4) return given.toExponential(4);
  const magnitude = Math.floor(Math.log10(size));
  return given.toFixed(magnitude < 0 ? 3 - magnitude : Math.max(0, 4 - magnitude));
}
