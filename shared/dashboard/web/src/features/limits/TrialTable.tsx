// What changed limits would have raised, beside what those in force would have.
import { count, plural } from "../../format/quantity";
import { dateAndTime, duration, parseTime } from "../../format/time";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { LimitsTrial, ParameterTrial, TrialOutcome } from "../../types";
import { number, statusOf } from "../alarms/alarm";

interface Props {
  trial: LimitsTrial;
  /** Whether the changes are others since. */
  isOld: boolean;
}

export function TrialTable({ trial, isOld }: Props) {
  const span = duration(parseTime(trial.to) - parseTime(trial.from));
  return (
    <section className="panel trial" aria-label="Trial">
      <h2>
        From {dateAndTime(parseTime(trial.from))} to {dateAndTime(parseTime(trial.to))} ({span})
      </h2>
      {isOld ? (
        <p className="notice caution">The changes are others since: this is of what was typed before.</p>
      ) : null}
      {trial.is_cut ? (
        <p className="notice caution">
          Cut: there was no time for all samples. Try fewer days or parameters.
        </p>
      ) : null}
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Parameter</th>
            <th scope="col" className="number">
              Samples
            </th>
            <th scope="col">In force would have raised</th>
            <th scope="col">The changes would have raised</th>
          </tr>
        </thead>
        <tbody>
          {trial.parameters.map((one) => (
            <Row key={one.parameter} trial={one} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ trial }: { trial: ParameterTrial }) {
  return (
    <tr>
      <th scope="row" title={trial.parameter}>
        <bdi>{trial.parameter}</bdi>
      </th>
      <td className="number">
        {count(trial.samples)}
        {trial.judged_until ? (
          <span className="state serious"> until {dateAndTime(parseTime(trial.judged_until))}</span>
        ) : null}
      </td>
      <td>
        <Outcome outcome={trial.in_force} />
      </td>
      <td>
        <Outcome outcome={trial.proposed} />
      </td>
    </tr>
  );
}

function Outcome({ outcome }: { outcome: TrialOutcome }) {
  if (outcome.raised === 0) return <span>no alarm</span>;
  return (
    <>
      <strong>{plural(outcome.raised, "alarm")}</strong>
      <ul>
        {outcome.excursions.map((one) => (
          <li key={one.severity} title={`first ${one.first}\nlast ${one.last}`}>
            <StatusSymbol status={statusOf(one.severity)} /> {count(one.count)} {one.severity},{" "}
            {duration(one.total_seconds * 1000)} in all
            {typeof one.worst === "number" ? `, worst ${number(one.worst)}` : ""}, last{" "}
            {dateAndTime(parseTime(one.last))}
          </li>
        ))}
      </ul>
    </>
  );
}
