// Which hours the account is shown of. It is kept by the hour, so that shorter spans are widened.
import type { TimeMode, TimeWindow } from "../../time/mode";
import type { CompletenessBy } from "../../types";
import { HOUR_MS } from "./bands";

const DAY_MS = 24 * HOUR_MS;
/** 168 hours; of more, a cell would be narrower than its pattern. */
const HOURS_MAX_MS = 7 * DAY_MS;

/** Live: a day at least, up to now. A replay shows what was received up to where it stands. */
export function accountSpan(mode: TimeMode, now: number, shown: TimeWindow): TimeWindow {
  const to = Math.min(shown.to, now);
  const from = mode.kind === "live" ? Math.min(shown.from, now - DAY_MS) : shown.from;
  return {
    from: Math.floor(from / HOUR_MS) * HOUR_MS,
    to: Math.max(from + HOUR_MS, Math.ceil(to / HOUR_MS) * HOUR_MS),
  };
}

export function unitOf({ from, to }: TimeWindow): CompletenessBy {
  return to - from <= HOURS_MAX_MS + HOUR_MS ? "hour" : "day";
}
