// What the address of the limits page says.

export interface LimitsSearch {
  /** The parameter whose limits are opened. */
  parameter?: string;
  /** In the name. */
  q?: string;
  /** Versions that are compared: the earlier and the later one. */
  from?: number;
  to?: number;
  /** Only parameters that have limits. */
  limited?: true;
}

export function readLimitsSearch(search: Record<string, unknown>): LimitsSearch {
  const read: LimitsSearch = {};
  if (typeof search.parameter === "string" && search.parameter !== "") read.parameter = search.parameter;
  if (search.q !== undefined && search.q !== "") read.q = String(search.q);
  if (isVersion(search.from)) read.from = search.from;
  if (isVersion(search.to)) read.to = search.to;
  if (search.limited === true) read.limited = true;
  return read;
}

/** 0 is what the dictionary says alone. */
function isVersion(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}
