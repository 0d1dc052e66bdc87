// What needs somebody now, in four blocks; each number leads to its list.
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link, Navigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { completenessQuery } from "../../api/completeness";
import { passesQuery } from "../../api/passes";
import { missionsQuery } from "../../api/queries";
import { count } from "../../format/quantity";
import { dateAndTime, wholeDuration } from "../../format/time";
import { useFrame } from "../../live/hooks";
import { useLoggedIn } from "../../session/access";
import { Failure, Loading } from "../../shell/Notice";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { Completeness } from "../../types";
import { SEVERITIES, severityOf, statusOf } from "../alarms/alarm";
import { useOpenAlarms } from "../alarms/useOpenAlarms";
import { chosenRows } from "../fleet/status";
import { useFleet } from "../fleet/useFleet";
import { countdown, nextPass, phaseAt, spanOf } from "../passes/pass";
import "./overview.css";

/** Missions that are asked about; the others are a click away. */
const MISSIONS_MAX = 12;
const ROWS_MAX = 6;
const STEP_MS = 10 * 60_000;
const HOUR_MS = 3_600_000;

/** A station alone has nothing above its own page. */
export function OverviewRoute() {
  const { server } = useLoggedIn().session;
  return server.kind === "edge" ? <Navigate to="/nodes" replace /> : <OverviewPage />;
}

function OverviewPage() {
  const { serverNow } = useFrame();
  const missions = useQuery(missionsQuery);
  if (missions.data === undefined)
    return missions.isError ? (
      <Failure error={missions.error} onRetry={() => void missions.refetch()} />
    ) : (
      <Loading what="missions" />
    );
  const names = missions.data.map(({ name }) => name);
  const asked = names.slice(0, MISSIONS_MAX);
  const at = Math.floor(serverNow / STEP_MS) * STEP_MS;
  return (
    <>
      <header className="page-head">
        <h1>Overview</h1>
        {names.length > MISSIONS_MAX ? (
          <span className="faint">
            Passes and completeness of {MISSIONS_MAX} of {count(names.length)} missions.
          </span>
        ) : null}
      </header>
      <div className="overview">
        <AlarmBlock missions={names} />
        <PassBlock missions={asked} at={at} now={serverNow} />
        <StationBlock />
        <CompletenessBlock missions={asked} now={serverNow} />
      </div>
    </>
  );
}

function Block({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="panel block" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function AlarmBlock({ missions }: { missions: readonly string[] }) {
  const { rows, complete, error } = useOpenAlarms(missions);
  const { health } = useFrame();
  const ringing = rows.filter(({ alarm }) => alarm.rings);
  return (
    <Block title="Alarms nobody has acknowledged">
      {error === null ? null : <Failure error={error} />}
      {complete ? null : <p className="faint">Not all are known yet.</p>}
      {health.state === "live" ? null : (
        <p className="state serious">Last known: the connection is frozen.</p>
      )}
      {complete && ringing.length === 0 ? (
        <p>
          <StatusSymbol status="normal" /> none
        </p>
      ) : null}
      <ul>
        {SEVERITIES.toReversed().flatMap((severity) => {
          const of = ringing.filter(({ alarm }) => severityOf(alarm) === severity);
          const [first] = of;
          if (first === undefined) return [];
          return [
            <li key={severity}>
              <StatusSymbol status={statusOf(severity)} />{" "}
              <Link to="/alarms" search={{ state: "unacknowledged", at_least: severity }}>
                <strong>{count(of.length)}</strong> {severity}
              </Link>{" "}
              <span className="faint">
                <bdi>{first.alarm.parameter}</bdi>
                {of.length > 1 ? " and others" : ""}
              </span>
            </li>,
          ];
        })}
      </ul>
    </Block>
  );
}

function PassBlock({ missions, at, now }: { missions: readonly string[]; at: number; now: number }) {
  const answers = useQueries({
    queries: missions.map((mission) => passesQuery(mission, at - HOUR_MS, at + 24 * HOUR_MS)),
  });
  const next = missions
    .flatMap((mission, index) => {
      const passes = answers[index]?.data?.passes ?? [];
      const open = passes.filter((pass) => phaseAt(pass, now) !== "past");
      return open.map((pass) => ({ mission, pass }));
    })
    .toSorted((a, b) => spanOf(a.pass).from - spanOf(b.pass).from)
    .slice(0, ROWS_MAX);
  const failed = answers.find((answer) => answer.isError && answer.data === undefined);
  return (
    <Block title="Next passes">
      {failed === undefined ? null : <Failure error={failed.error} onRetry={() => void failed.refetch()} />}
      {answers.some((answer) => answer.isPending) ? <Loading what="passes" /> : null}
      {next.length === 0 && answers.every((answer) => answer.isSuccess) ? (
        <p>None within a day, as far as orbits and places are known.</p>
      ) : null}
      <ul>
        {next.map(({ mission, pass }) => (
          <li key={`${mission} ${pass.id}`}>
            <StatusSymbol status={phaseAt(pass, now) === "under-way" ? "normal" : "standby"} />{" "}
            <Link to="/m/$mission/passes" params={{ mission }} search={{ pass: pass.id }}>
              <bdi>{pass.spacecraft}</bdi> over <bdi>{pass.site}</bdi>
            </Link>{" "}
            <strong>{countdown(pass, now, wholeDuration)}</strong>{" "}
            <span className="faint">up to {Math.round(pass.elevation_max_deg)}°</span>
          </li>
        ))}
      </ul>
      {nextPass(
        next.map(({ pass }) => pass),
        now,
      ) === null ? null : (
        <p className="faint">At {dateAndTime(now)}.</p>
      )}
    </Block>
  );
}

function StationBlock() {
  const { rows, frozen, error, retry } = useFleet();
  const needing = rows === null ? [] : chosenRows([...rows], { q: "", least: "caution", sort: "worst" });
  return (
    <Block title="Stations that need somebody">
      {error === null ? null : <Failure error={error} onRetry={retry} />}
      {rows === null && error === null ? <Loading what="stations" /> : null}
      {frozen ? <p className="state serious">Last known: the connection is frozen.</p> : null}
      {rows !== null && needing.length === 0 ? (
        <p>
          <StatusSymbol status="normal" /> none of {count(rows.length)}
        </p>
      ) : null}
      <ul>
        {needing.slice(0, ROWS_MAX).map((row) => (
          <li key={row.node.name}>
            <StatusSymbol status={row.worst} hollow={row.hollow} />{" "}
            <Link to="/nodes/$node" params={{ node: row.node.name }}>
              <bdi>{row.node.site}</bdi>
            </Link>{" "}
            <span className="faint">
              <bdi>{row.word}</bdi>
            </span>
          </li>
        ))}
      </ul>
      {needing.length > ROWS_MAX ? (
        <p>
          <Link to="/fleet" search={{ view: "matrix", least: "caution" }}>
            {count(needing.length - ROWS_MAX)} more
          </Link>
        </p>
      ) : null}
    </Block>
  );
}

function CompletenessBlock({ missions, now }: { missions: readonly string[]; now: number }) {
  // The account is kept by the hour: an end before the hour's own would leave out what came in it.
  const hour = Math.floor(now / HOUR_MS) * HOUR_MS;
  const span = { from: hour - 24 * HOUR_MS, to: hour + HOUR_MS };
  const answers = useQueries({
    queries: missions.map((mission) => completenessQuery(mission, span, "total", true)),
  });
  return (
    <Block title="Data of the last 24 hours">
      <p className="faint">Received since {dateAndTime(span.from)}: 24 whole hours and the one under way.</p>
      <ul>
        {missions.map((mission, index) => {
          const answer = answers[index];
          return (
            <li key={mission}>
              <Link to="/m/$mission/data" params={{ mission }}>
                <bdi>{mission}</bdi>
              </Link>{" "}
              {answer?.data === undefined ? (
                <span className="faint">{answer?.isError ? "not known" : "…"}</span>
              ) : (
                <Whole answer={answer.data} />
              )}
            </li>
          );
        })}
      </ul>
    </Block>
  );
}

function Whole({ answer }: { answer: Completeness }) {
  const percents = answer.stations.flatMap(({ percent }) => (percent == null ? [] : [percent]));
  if (percents.length === 0) return <span className="faint">nothing was due</span>;
  const least = Math.min(...percents);
  const waiting = answer.stations.reduce((sum, { waiting }) => sum + (waiting?.records ?? 0), 0);
  const status = least >= 99.9 ? "normal" : least >= 95 ? "caution" : "serious";
  return (
    <>
      <StatusSymbol status={status} /> <strong>{(Math.floor(least * 100) / 100).toFixed(2)} %</strong>{" "}
      <span className="faint">
        at the station with least{waiting > 0 ? `, ${count(waiting)} records wait at stations` : ""}
      </span>
    </>
  );
}
