// One alarm as a row of the table.
import type { ReactNode } from "react";
import { clockTime, dateAndTime, duration, parseTime } from "../../format/time";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { Alarm } from "../../types";
import { PathButton } from "../parameters/PathButton";
import { limitText, number, originText, severityOf, sinceOf, stateText, statusOf } from "./alarm";
import type { MissionAlarm } from "./filters";
import type { SiteOf } from "./useSites";

export interface RowContext {
  serverNow: number;
  selected: ReadonlySet<string>;
  /** The alarm whose row had the focus last: what keys act upon. */
  cursor: string | null;
  opened: string | null;
  showsMission: boolean;
  siteOf: SiteOf;
  /** The newest value of the parameter, as an element that keeps itself current. */
  liveValue: (row: MissionAlarm) => ReactNode;
  onCursor: (id: string | null) => void;
  onSelect: (row: MissionAlarm, selected: boolean) => void;
  onOpen: (row: MissionAlarm) => void;
}

interface Props {
  row: MissionAlarm;
  context: RowContext;
}

export function rowClass({ id, rings }: Alarm, { cursor, selected }: RowContext): string {
  return [rings ? "rings" : "", cursor === id ? "here" : "", selected.has(id) ? "picked" : ""].join(" ");
}

export function AlarmCells({ row, context }: Props) {
  const { mission, alarm } = row;
  const { serverNow, selected, opened, siteOf } = context;
  const severity = severityOf(alarm);
  const since = sinceOf(alarm);
  const worst = alarm.worst_value;
  return (
    <>
      <td className="a-select">
        <input
          type="checkbox"
          aria-label={`Select ${alarm.parameter}`}
          checked={selected.has(alarm.id)}
          onChange={(event) => context.onSelect(row, event.target.checked)}
        />
      </td>
      <td className="a-severity">
        <StatusSymbol status={statusOf(severity)} hollow={!alarm.rings} />{" "}
        <span className={`state ${statusOf(severity)}`}>{severity}</span>
        {alarm.worst && alarm.worst !== severity ? <span className="faint"> was {alarm.worst}</span> : null}
      </td>
      <td className="a-state" title={stateText(alarm)}>
        {stateText(alarm)}
      </td>
      <th scope="row" className="a-subject" title={alarm.parameter}>
        <div>
          <PathButton
            path={alarm.parameter}
            isPressed={opened === alarm.id}
            onPress={() => context.onOpen(row)}
          />
          {alarm.detector === "limits" ? null : <span className="faint"> {alarm.detector}</span>}
          {alarm.group?.first_out === alarm.id ? <span className="tag">first out</span> : null}
          {alarm.is_retrospective ? <span className="tag">{originText(alarm)}</span> : null}
          {context.showsMission ? <span className="tag">{mission}</span> : null}
        </div>
      </th>
      <td className="a-since">
        <time title={dateAndTime(since)}>
          {serverNow - since < 12 * 3_600_000 ? clockTime(since) : dateAndTime(since)}{" "}
          <span className="faint">{duration(serverNow - since)}</span>
        </time>
      </td>
      <td className="a-value" title={limitText(alarm.cause)}>
        {typeof alarm.cause?.seen === "number" ? number(alarm.cause.seen) : ""}{" "}
        <span className="faint">{limitText(alarm.cause)}</span>
      </td>
      <td
        className="a-worst number"
        title={worst ? `generated ${dateAndTime(parseTime(worst.generation_time))}` : undefined}
      >
        {worst ? number(worst.value) : ""}
      </td>
      <td className="a-live number">{context.liveValue(row)}</td>
      <td className="a-count number" title={recurrencesText(alarm.recurrences)}>
        {alarm.occurrences}
        {alarm.recurrences > 0 ? `+${alarm.recurrences}` : ""}
      </td>
      <td className="a-site">{alarm.node ? siteOf(alarm.node) : ""}</td>
      <td className="a-owner" title={alarm.owners.join(", ")}>
        <bdi>{alarm.owners.join(", ")}</bdi>
      </td>
    </>
  );
}

function recurrencesText(recurrences: number): string | undefined {
  return recurrences === 0 ? undefined : `came back ${recurrences} times within its merge window`;
}
