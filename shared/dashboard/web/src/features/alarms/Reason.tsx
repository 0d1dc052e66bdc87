// Why an alarm was raised: what was seen against what was expected, and by which rule, detector and model.
import type { ReactNode } from "react";
import { dateAndTime, parseTime } from "../../format/time";
import type { Alarm, AlarmEntry } from "../../types";
import { limitText, number, originText } from "./alarm";

interface Props {
  alarm: Alarm;
  entries: readonly AlarmEntry[];
  unit: string | null;
  liveValue: ReactNode;
}

export function Reason({ alarm, entries, unit, liveValue }: Props) {
  const { cause, worst_value: worst } = alarm;
  const inUnit = (value: number | null | undefined) =>
    typeof value === "number" ? `${number(value)}${unit === null ? "" : ` ${unit}`}` : null;
  const isOfScore = typeof cause?.score === "number";
  const limit = limitText(cause);
  const facts: [string, ReactNode][] = [
    ["Tripped at", inUnit(cause?.seen)],
    [
      isOfScore ? "Threshold" : "Limit",
      limit === "" ? null : isOfScore || unit === null ? limit : `${limit} ${unit}`,
    ],
    ["Expected", inUnit(cause?.expected)],
    ["Score", isOfScore ? number(cause?.score ?? 0) : null],
    ["Now", liveValue],
    [
      "Worst value",
      worst ? `${inUnit(worst.value)}, ${dateAndTime(parseTime(worst.generation_time))}` : null,
    ],
    ["Worst severity", alarm.worst],
    ["Detector", alarm.detector],
    ["Model", cause?.model],
    ["Rule", ruleText(alarm, entries)],
    ["Origin", originText(alarm)],
  ];
  return (
    <dl className="reason">
      {facts.map(([term, fact]) =>
        fact === null || fact === undefined ? null : (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{typeof fact === "string" ? <bdi>{fact}</bdi> : fact}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

function ruleText(alarm: Alarm, entries: readonly AlarmEntry[]): string {
  if (alarm.rule === "") return "built in";
  const raised = entries.findLast(({ fact }) => fact.kind === "raised")?.fact;
  return raised?.kind === "raised" ? `${alarm.rule}, version ${raised.rules_version}` : alarm.rule;
}
