// The gaps of a chart's lines: what waits at a station that is connected just now is on its way.
import { useMemo } from "react";
import { useNodes } from "../../live/hooks";
import type { PlotLine } from "../../telemetry/history";
import { type Gap, gapsOf } from "./silences";

/** The same array as long as nothing changed. */
export function useGaps(lines: readonly PlotLine[]): readonly Gap[] {
  const connected = (useNodes() ?? [])
    .filter((node) => node.state === "connected")
    .map((node) => node.name)
    .join("\n");
  return useMemo(() => {
    const nodes = new Set(connected.split("\n"));
    const gaps = lines.flatMap((line) => gapsOf(line.silences, (node) => nodes.has(node)));
    const distinct = new Map(gaps.map((gap) => [`${gap.from} ${gap.to} ${gap.kind}`, gap]));
    return [...distinct.values()];
  }, [lines, connected]);
}
