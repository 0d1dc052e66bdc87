// When a station hears spacecraft: the last 12 hours and the next 24.
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { explain } from "../../api/client";
import { stationPassesQuery } from "../../api/fleet";
import { missionsQuery } from "../../api/queries";
import { bytes, count } from "../../format/quantity";
import { clockTime, dateAndTime, parseTime, wholeDuration } from "../../format/time";
import { Failure } from "../../shell/Notice";
import { StatusSymbol } from "../../shell/StatusSymbol";
import { useTime } from "../../time/useTime";
import type { Mission, Pass } from "../../types";
import type { TabProps } from "./NodePage";
import { phaseOf } from "./phase";

const NONE: readonly Mission[] = [];

export function PassesTab({ node }: TabProps) {
  const { now } = useTime();
  const known = useQuery(missionsQuery);
  const missions = known.data ?? NONE;
  const answers = useQueries({
    queries: missions.map(({ name }) => stationPassesQuery(name, node.name, now)),
  });
  const rows = answers
    .flatMap(({ data }, index) =>
      (data?.passes ?? []).map((pass) => ({ mission: missions[index]?.name ?? "", pass })),
    )
    .sort((a, b) => parseTime(a.pass.culmination.at) - parseTime(b.pass.culmination.at));
  const reasons = answers.flatMap(({ data, error }, index) => [
    ...(error ? [`${missions[index]?.name}: ${explain(error).detail}`] : []),
    ...(data?.left_out ?? []).map((one) => `${one.spacecraft ?? one.station}: ${one.reason}`),
  ]);
  const isPending = known.isPending || answers.some((answer) => answer.isPending);
  if (known.isError && known.data === undefined)
    return <Failure error={known.error} onRetry={() => void known.refetch()} />;
  return (
    <section className="panel scroll-x" aria-label="Passes">
      <table className="grid">
        <caption>Passes of the last 12 hours and the next 24, as computed</caption>
        <thead>
          <tr>
            <th scope="col">Phase</th>
            <th scope="col">Spacecraft</th>
            <th scope="col">Mission</th>
            <th scope="col">Acquisition (UTC)</th>
            <th scope="col">Loss (UTC)</th>
            <th scope="col" className="number">
              Lasts
            </th>
            <th scope="col" className="number">
              Highest
            </th>
            <th scope="col" className="number">
              Received
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ mission, pass }) => (
            <PassRow key={`${mission} ${pass.id}`} mission={mission} pass={pass} now={now} />
          ))}
        </tbody>
      </table>
      {rows.length > 0 ? null : (
        <p className="empty">
          {isPending
            ? "Passes are asked for…"
            : reasons.length > 0
              ? "No pass over this station is known of in this time, and not all could be computed:"
              : "No pass over this station in this time."}
        </p>
      )}
      {[...new Set(reasons)].map((reason) => (
        <p key={reason} className="faint reason">
          <bdi>{reason}</bdi>
        </p>
      ))}
    </section>
  );
}

function PassRow({ mission, pass, now }: { mission: string; pass: Pass; now: number }) {
  const { status, text } = phaseOf(pass, now);
  return (
    <tr>
      <td>
        <StatusSymbol status={status} /> {text}
      </td>
      <th scope="row">
        <bdi>{pass.spacecraft}</bdi>
      </th>
      <td>
        <Link to="/m/$mission/passes" params={{ mission }} search={{ pass: pass.id }}>
          <bdi>{mission}</bdi>
        </Link>
      </td>
      <td>{pass.aos ? dateAndTime(parseTime(pass.aos.at)) : "before"}</td>
      <td>{pass.los ? clockTime(parseTime(pass.los.at)) : "after"}</td>
      <td className="number">{pass.duration_s ? wholeDuration(pass.duration_s * 1000) : "always"}</td>
      <td className="number">{pass.elevation_max_deg.toFixed(1)}°</td>
      <td className="number" title={pass.received ? `${count(pass.received.records)} records` : undefined}>
        {pass.received ? bytes(pass.received.bytes) : "–"}
      </td>
    </tr>
  );
}
