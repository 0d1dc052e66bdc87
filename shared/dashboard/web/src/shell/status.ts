// The order of statuses: whatever stands for several shows the worst of them.
import type { Status } from "./StatusSymbol";

export type { Status };

/** Worst first. What is not known comes before what is in order. */
export const STATUSES: readonly Status[] = [
  "critical",
  "serious",
  "caution",
  "invalid",
  "off",
  "standby",
  "normal",
];

/** 0 is the worst. */
export function rankOf(status: Status): number {
  return STATUSES.indexOf(status);
}

export function worstOf(statuses: readonly Status[]): Status {
  return STATUSES.find((status) => statuses.includes(status)) ?? "off";
}
