// How a value stands to its limits, or that there is none, as a shape. Its word stands beside it.
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { Sample } from "../../types";
import { quality } from "./quality";

export function QualitySymbol({ sample, stale }: { sample: Sample | null; stale: boolean }) {
  const status = sample === null ? "off" : quality(sample).status;
  // It must not look like one within its limits, hollow or not; and what nobody judges adds no ink.
  if (status === null) return <span className="no-symbol" title="Not monitored: no limits apply to it." />;
  return <StatusSymbol status={status} hollow={stale} />;
}
