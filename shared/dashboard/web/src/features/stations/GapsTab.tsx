// What of a station's records is here, mission by mission, and what came of the rest.
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { explain } from "../../api/client";
import { completenessQuery } from "../../api/completeness";
import { missionsQuery } from "../../api/queries";
import { count } from "../../format/quantity";
import { Failure, Loading } from "../../shell/Notice";
import { StatusSymbol } from "../../shell/StatusSymbol";
import { useTime } from "../../time/useTime";
import type { Mission, StationCompleteness } from "../../types";
import type { TabProps } from "./NodePage";

const HOUR_MS = 3_600_000;
const NONE: readonly Mission[] = [];

export function GapsTab({ node }: TabProps) {
  const { now } = useTime();
  const hour = Math.floor(now / HOUR_MS) * HOUR_MS;
  const span = { from: hour - 23 * HOUR_MS, to: hour + HOUR_MS };
  const known = useQuery(missionsQuery);
  const missions = known.data ?? NONE;
  const answers = useQueries({
    queries: missions.map(({ name }) => completenessQuery(name, span, "total", true)),
  });
  if (known.data === undefined) {
    if (known.isPending) return <Loading what="missions" />;
    return <Failure error={known.error} onRetry={() => void known.refetch()} />;
  }
  return (
    <section className="panel scroll-x" aria-label="Gaps">
      <table className="grid">
        <caption>Records of the last 24 hours, by the time of their reception</caption>
        <thead>
          <tr>
            <th scope="col">Mission</th>
            <th scope="col">Here</th>
            {["Live", "Backfilled", "Not received", "Lost at the station", "Still waiting"].map((title) => (
              <th key={title} scope="col" className="number">
                {title}
              </th>
            ))}
            <th scope="col">All of it</th>
          </tr>
        </thead>
        <tbody>
          {missions.map(({ name }, index) => (
            <tr key={name}>
              <th scope="row">
                <bdi>{name}</bdi>
              </th>
              <GapCells
                found={answers[index]?.data?.stations.find((station) => station.node === node.name)}
                pending={answers[index]?.isPending ?? true}
                error={answers[index]?.error ?? null}
              />
              <td>
                <Link to="/m/$mission/data" params={{ mission: name }}>
                  Completeness<span className="visually-hidden"> of {name}</span>
                </Link>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface CellsProps {
  found: StationCompleteness | undefined;
  pending: boolean;
  error: unknown;
}

function GapCells({ found, pending, error }: CellsProps) {
  if (found === undefined)
    return (
      <td colSpan={6} className="faint">
        {error ? explain(error).detail : pending ? "asked for…" : "nothing of it came in this time"}
      </td>
    );
  const { counts, percent, presumed_lost: presumed } = found;
  const lost = counts.damaged + counts.evicted + counts.forgotten + presumed;
  const isWhole = lost === 0 && counts.not_received === 0;
  return (
    <>
      <td>
        <StatusSymbol status={isWhole ? "normal" : "caution"} />{" "}
        {percent === null || percent === undefined
          ? "not known"
          : `${percent.toFixed(percent === 100 ? 0 : 2)} %`}
      </td>
      <td className="number">{count(counts.received_live)}</td>
      <td className="number">{count(counts.backfilled)}</td>
      <td className="number">{count(counts.not_received)}</td>
      <td className="number">{count(lost)}</td>
      <td className="number">{found.waiting ? count(found.waiting.records) : "not told"}</td>
    </>
  );
}
