// Whether a value may be trusted, and how it stands to its limits: as a word and a shape.
import type { Status } from "../../shell/StatusSymbol";
import type { Monitoring, Sample, Validity } from "../../types";

const INVALID_WORDS: Record<Exclude<Validity, "valid">, string> = {
  "not-a-number": "not a number",
  "outside-calibration": "outside calibration",
  "outside-valid-range": "outside valid range",
  "unknown-label": "unknown label",
};

const MONITORING_STATUS: Record<Monitoring, Status | null> = {
  "not-monitored": null,
  normal: "normal",
  watch: "caution",
  warning: "caution",
  distress: "serious",
  critical: "critical",
  severe: "critical",
};

export interface Quality {
  /** `null` where no limits apply. */
  status: Status | null;
  word: string;
  /** Why the value is no measurement; `null` when it is one. */
  invalid: string | null;
}

export function quality(sample: Pick<Sample, "monitoring" | "validity">): Quality {
  const { monitoring, validity } = sample;
  if (validity !== "valid") {
    // A newer server may know reasons this page has no words for; they are no measurements either.
    const invalid = INVALID_WORDS[validity] ?? validity;
    return { status: "invalid", word: invalid, invalid };
  }
  const status = MONITORING_STATUS[monitoring];
  if (status === null) return { status, word: "not monitored", invalid: null };
  return { status: status ?? "critical", word: monitoring, invalid: null };
}
