// How a station is: its parts with a word each, its links, its machine and its sessions.
import { count } from "../../format/quantity";
import { clockTime, dateAndTime, parseTime } from "../../format/time";
import { StatusSymbol } from "../../shell/StatusSymbol";
import { missionsText } from "../admin/MissionsField";
import { PART_TITLES, PARTS, stationRow } from "../fleet/status";
import { LinksTable } from "./LinksTable";
import { Metric } from "./Metric";
import type { TabProps } from "./NodePage";
import { certificate } from "./station";

export function HealthTab({ node, detail, server, frame }: TabProps) {
  const { cells, stale } = stationRow(node, server, frame);
  const report = node.report ?? null;
  return (
    <>
      <section className={`panel part-list${stale ? " stale" : ""}`} aria-label="Parts of the station">
        <dl className="metrics">
          {PARTS.map((part) => (
            <div key={part} title={PART_TITLES[part]}>
              <dt>{part}</dt>
              <dd>
                <StatusSymbol status={cells[part].status} hollow={stale && part !== "sync"} />{" "}
                {cells[part].word}
                <p className="faint why">{cells[part].why}</p>
              </dd>
            </div>
          ))}
          <Metric label="archived at hub" value={count(node.archived_packets)} unit="packets" />
          {report === null ? null : (
            <Metric
              label="received"
              value={count(report.packets_received)}
              unit="packets"
              title={`As the station reported at ${clockTime(parseTime(report.at))}`}
            />
          )}
        </dl>
      </section>
      {report === null ? (
        <p className="empty">No report yet: what the station receives is known after its first session.</p>
      ) : (
        <section className="panel" aria-label="Intake links">
          <LinksTable links={report.links} serverNow={frame.serverNow} station={node.name} />
        </section>
      )}
      {detail === null ? null : <Machine id={node.id ?? null} detail={detail} />}
      {detail === null || detail.sessions.length === 0 ? null : <Sessions sessions={detail.sessions} />}
    </>
  );
}

type Detail = NonNullable<TabProps["detail"]>;

function Machine({ id, detail }: { id: string | null; detail: Detail }) {
  const ends = certificate(detail.certificate_days);
  return (
    <section className="panel part-list" aria-label="Machine">
      <dl className="metrics">
        <Metric label="Identity" value={id ?? (detail.is_built_in ? "the hub itself" : "not known")} />
        <Metric label="May send for" value={missionsText(detail.missions)} />
        <Metric
          label="Enrolled"
          value={detail.enrolled_at ? dateAndTime(parseTime(detail.enrolled_at)) : "not known"}
          {...(detail.enrolled_host ? { unit: `as ${detail.enrolled_host}` } : {})}
        />
        <div>
          <dt>Certificate ends</dt>
          <dd>
            <StatusSymbol status={ends.status} />{" "}
            {detail.certificate_ends ? dateAndTime(parseTime(detail.certificate_ends)) : "none"}{" "}
            <span className="faint">{ends.text}</span>
          </dd>
        </div>
      </dl>
    </section>
  );
}

function Sessions({ sessions }: { sessions: Detail["sessions"] }) {
  return (
    <section className="panel scroll-x" aria-label="Sessions">
      <table className="grid">
        <caption>Last sessions since the server started</caption>
        <thead>
          <tr>
            <th scope="col" className="number">
              Session
            </th>
            <th scope="col">Began (UTC)</th>
            <th scope="col">Ended (UTC)</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {sessions.map((session) => (
            <tr key={session.number}>
              <th scope="row" className="number">
                {session.number}
              </th>
              <td>{dateAndTime(parseTime(session.since))}</td>
              <td>{session.until ? dateAndTime(parseTime(session.until)) : "still open"}</td>
              <td>
                <bdi>{session.reason ?? (session.until ? "not told" : "")}</bdi>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
