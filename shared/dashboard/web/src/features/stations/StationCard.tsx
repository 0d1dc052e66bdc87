// One station: how it stands to the hub, what waits there, and what comes in over its links.
import { useId } from "react";
import { bytes, count } from "../../format/quantity";
import { age, clockTime, dateAndTime, duration, parseTime } from "../../format/time";
import type { Frame } from "../../live/client";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { LinkReport, Node, NodeReport, Server } from "../../types";
import { BacklogMetrics } from "./BacklogMetrics";
import { Metric } from "./Metric";
import { certificate, information, STATE_STATUS, STATE_WORDS } from "./station";

interface Props {
  node: Node;
  server: Server["kind"];
  frame: Frame;
}

export function StationCard({ node, server, frame }: Props) {
  const heading = useId();
  const { age: howOld, stale } = information(node, server, frame);
  const report = node.report ?? null;
  return (
    <article
      className={`panel station${stale ? " stale" : ""}`}
      aria-labelledby={heading}
      data-state={node.state}
      data-stale={stale}
    >
      <header>
        <StatusSymbol status={STATE_STATUS[node.state]} hollow={stale} />
        <h2 id={heading}>{node.name}</h2>
        <span className="faint site">{node.site}</span>
        {stale && node.state === "connected" ? <span className="faint">last known</span> : null}
        <span className={`state ${STATE_STATUS[node.state]}`}>{STATE_WORDS[node.state]}</span>
        {node.since ? (
          <span className="faint" title={dateAndTime(parseTime(node.since))}>
            {sinceText(node.since, frame)}
          </span>
        ) : null}
        <span className="grow" />
        <span className="contact">{contactText(howOld, stale, server)}</span>
      </header>
      {node.problem ? (
        <p className="problem">
          <StatusSymbol status={node.state === "revoked" ? "critical" : "caution"} /> {node.problem}
        </p>
      ) : null}
      <dl className="metrics">
        <Metric label="Archived at hub" value={count(node.archived_packets)} unit="packets" />
        {report === null ? null : <ReportMetrics report={report} stale={stale} serverNow={frame.serverNow} />}
      </dl>
      {report === null ? (
        <p className="faint">No report yet: what the station receives is known after its first session.</p>
      ) : (
        <Links links={report.links} serverNow={frame.serverNow} station={node.name} />
      )}
    </article>
  );
}

/** How long a state has lasted is known only while the connection is live. */
function sinceText(since: string, { health, serverNow }: Frame): string {
  const at = parseTime(since);
  return health.state === "live" ? `for ${duration(serverNow - at)}` : `since ${clockTime(at)}`;
}

function contactText(howOld: number | null, stale: boolean, server: Server["kind"]): string {
  if (howOld === null) return "never heard of";
  const text = `${server === "edge" ? "as of" : "last contact"} ${age(howOld)}`;
  return stale ? `stale · ${text}` : text;
}

interface ReportProps {
  report: NodeReport;
  stale: boolean;
  serverNow: number;
}

function ReportMetrics({ report, stale, serverNow }: ReportProps) {
  // The archive's figure is the hub's own, and newer than the station's last report.
  const reported = `As the station reported at ${clockTime(parseTime(report.at))}`;
  const ends = certificate(report.certificate_days);
  return (
    <>
      <Metric label="Received" value={count(report.packets_received)} unit="packets" title={reported} />
      <BacklogMetrics backlog={report.backlog} stale={stale} serverNow={serverNow} />
      <div>
        <dt>Certificate</dt>
        <dd>
          <StatusSymbol status={ends.status} hollow={stale} /> {ends.text}
        </dd>
      </div>
      <Metric label="Software" value={report.version} />
    </>
  );
}

function Links({
  links,
  serverNow,
  station,
}: {
  links: readonly LinkReport[];
  serverNow: number;
  station: string;
}) {
  if (links.length === 0) return <p className="faint">No intake links are configured.</p>;
  return (
    <div className="scroll-x">
      <table className="grid links" aria-label={`Intake links of ${station}`}>
        <thead>
          <tr>
            <th scope="col">Intake link</th>
            <th scope="col">Mission</th>
            <th scope="col">Listens on</th>
            <th scope="col" className="number">
              Clients
            </th>
            <th scope="col" className="number">
              Packets
            </th>
            <th scope="col" className="number">
              Bytes
            </th>
            <th scope="col" className="number">
              Last packet
            </th>
            <th scope="col">Sequence</th>
            <th scope="col">Rejected</th>
          </tr>
        </thead>
        <tbody>
          {links.map((link) => (
            <tr key={link.name}>
              <th scope="row">{link.name}</th>
              <td>{link.mission}</td>
              <td className="faint">{link.listen}</td>
              <td className="number">{count(link.clients)}</td>
              <td className="number">{count(link.packets)}</td>
              <td className="number" title={`${count(link.bytes)} bytes`}>
                {bytes(link.bytes)}
              </td>
              <td className="number" title={link.last_packet ?? undefined}>
                {link.last_packet ? (
                  <PacketAge at={parseTime(link.last_packet)} serverNow={serverNow} />
                ) : (
                  "none yet"
                )}
              </td>
              <td>
                <Sequence link={link} />
              </td>
              <td>
                <Rejections link={link} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function PacketAge({ at, serverNow }: { at: number; serverNow: number }) {
  return <time title={clockTime(at)}>{age(serverNow - at)}</time>;
}

/** What the sequence counts say; only what is out of order. */
function Sequence({ link: { continuity } }: { link: LinkReport }) {
  if (!continuity) return <span className="faint">not told</span>;
  const { missing, gaps, duplicates, late, resets } = continuity;
  const found = [
    missing > 0 && `${count(missing)} missing in ${count(gaps)} ${gaps === 1 ? "gap" : "gaps"}`,
    duplicates > 0 && `${count(duplicates)} doubled`,
    late > 0 && `${count(late)} late`,
    resets > 0 && `${count(resets)} ${resets === 1 ? "reset" : "resets"}`,
  ].filter((text) => text !== false);
  if (found.length === 0) return <span className="faint">in order</span>;
  return (
    <ul className="rejections">
      {found.map((text) => (
        <li key={text}>
          <StatusSymbol status="caution" /> {text}
        </li>
      ))}
    </ul>
  );
}

function Rejections({ link }: { link: LinkReport }) {
  if (link.rejected.length === 0) return <span className="faint">none</span>;
  return (
    <ul className="rejections">
      {link.rejected.map(({ cause, count: times, bytes: size }) => (
        <li key={cause}>
          <StatusSymbol status="caution" /> {cause} {count(times)}{" "}
          <span className="faint">({bytes(size)})</span>
        </li>
      ))}
    </ul>
  );
}
