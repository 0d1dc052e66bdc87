// The mission's open alarms as they stand now, the most urgent first.
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { age, dateAndTime, parseTime } from "../../../format/time";
import { useFrame } from "../../../live/hooks";
import { Failure } from "../../../shell/Notice";
import { StatusSymbol } from "../../../shell/StatusSymbol";
import { useTimeMode } from "../../../time/useTime";
import type { Alarm } from "../../../types";
import { byUrgency, severityOf, stateText, statusOf } from "../../alarms/alarm";
import { useOpenAlarms } from "../../alarms/useOpenAlarms";
import type { WidgetProps } from "./kinds";

const ROWS_MAX = 100;

export function AlarmsWidget({ mission, name }: WidgetProps) {
  const { rows, complete, error } = useOpenAlarms([mission]);
  const { serverNow, health } = useFrame();
  const { mode } = useTimeMode();
  const open = useMemo(() => rows.map(({ alarm }) => alarm).sort(byUrgency), [rows]);
  return (
    <>
      {mode.kind === "live" ? null : (
        <p className="widget-note old" role="note">
          These alarms are open now, not at the time shown.
        </p>
      )}
      {health.state === "live" ? null : (
        <p className="widget-note old" role="note">
          No connection: as of {dateAndTime(health.frozenAt ?? serverNow)}.
        </p>
      )}
      {error === null ? null : <Failure error={error} />}
      {open.length === 0 ? (
        error === null && (
          <p className="empty">{complete ? "No alarm is open." : "Waiting for the alarms…"}</p>
        )
      ) : (
        <div className="widget-scroller">
          <table className="grid" aria-label={`Open alarms: ${name}`}>
            <thead>
              <tr>
                <th scope="col">Severity</th>
                <th scope="col">State</th>
                <th scope="col">Parameter</th>
                <th scope="col" className="number">
                  Since
                </th>
              </tr>
            </thead>
            <tbody>
              {open.slice(0, ROWS_MAX).map((alarm) => (
                <AlarmRow key={alarm.id} mission={mission} alarm={alarm} serverNow={serverNow} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p className="faint widget-note">
        {open.length > ROWS_MAX ? `${open.length - ROWS_MAX} more · ` : ""}
        <Link to="/m/$mission/alarms" params={{ mission }}>
          All alarms, and acts on them
        </Link>
      </p>
    </>
  );
}

interface RowProps {
  mission: string;
  alarm: Alarm;
  serverNow: number;
}

function AlarmRow({ mission, alarm, serverNow }: RowProps) {
  const severity = severityOf(alarm);
  const since = parseTime(alarm.since ?? alarm.first);
  return (
    <tr>
      <td>
        <StatusSymbol status={statusOf(severity)} hollow={!alarm.rings} />{" "}
        <span className={`state ${statusOf(severity)}`}>{severity}</span>
      </td>
      <td>{stateText(alarm)}</td>
      <th scope="row" title={alarm.parameter}>
        <Link to="/m/$mission/explore" params={{ mission }} search={{ p: [alarm.parameter] }}>
          <bdi>{alarm.parameter}</bdi>
        </Link>
      </th>
      <td className="number">
        <time title={dateAndTime(since)}>{age(serverNow - since)}</time>
      </td>
    </tr>
  );
}
