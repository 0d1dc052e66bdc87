// The open alarms of a mission, the most urgent first.
import { Link } from "@tanstack/react-router";
import { age, dateAndTime, parseTime } from "../../format/time";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { Alarm } from "../../types";
import { severityOf, stateText, statusOf } from "./alarm";

interface Props {
  mission: string;
  alarms: readonly Alarm[];
  selected: string | null;
  serverNow: number;
  onSelect: (alarm: string) => void;
}

export function AlarmTable({ mission, alarms, selected, serverNow, onSelect }: Props) {
  const parameters = new Map(alarms.map((alarm) => [alarm.id, alarm.parameter]));
  return (
    <div className="panel scroll-x alarms">
      <table className="grid" aria-label={`Open alarms of ${mission}`}>
        <thead>
          <tr>
            <th scope="col">Severity</th>
            <th scope="col">State</th>
            <th scope="col">Parameter</th>
            <th scope="col">Detector</th>
            <th scope="col" className="number">
              Age
            </th>
            <th scope="col">Group</th>
            <th scope="col">Owner</th>
            <th scope="col">
              <span className="visually-hidden">History and acts</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {alarms.map((alarm) => (
            <AlarmRow
              key={alarm.id}
              mission={mission}
              alarm={alarm}
              group={groupText(alarm, parameters)}
              isSelected={alarm.id === selected}
              serverNow={serverNow}
              onSelect={onSelect}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  mission: string;
  alarm: Alarm;
  group: string;
  isSelected: boolean;
  serverNow: number;
  onSelect: (alarm: string) => void;
}

function AlarmRow({ mission, alarm, group, isSelected, serverNow, onSelect }: RowProps) {
  const severity = severityOf(alarm);
  const since = parseTime(alarm.since ?? alarm.first);
  return (
    <tr data-rings={alarm.rings}>
      <td>
        <StatusSymbol status={statusOf(severity)} hollow={!alarm.rings} />{" "}
        <span className={`state ${statusOf(severity)}`}>{severity}</span>
      </td>
      <td>{stateText(alarm)}</td>
      <th scope="row" title={alarm.parameter}>
        <Link to="/m/$mission/p" params={{ mission }} search={{ parameter: alarm.parameter, range: "15m" }}>
          {alarm.parameter}
        </Link>
      </th>
      <td>{alarm.detector}</td>
      <td className="number">
        <time title={dateAndTime(since)}>{age(serverNow - since)}</time>
      </td>
      <td>{group}</td>
      <td>{alarm.owners.join(", ")}</td>
      <td>
        <button type="button" aria-pressed={isSelected} onClick={() => onSelect(alarm.id)}>
          Open
        </button>
      </td>
    </tr>
  );
}

/** Where to begin looking, of alarms that belong together. */
function groupText({ id, group }: Alarm, parameters: Map<string, string>): string {
  if (!group) return "";
  const name = group.kind === "flood" ? "flood" : (group.relation ?? "related");
  const first =
    group.first_out === id ? "this first" : `first ${parameters.get(group.first_out) ?? group.first_out}`;
  return `${name}: ${first} of ${group.members}`;
}
