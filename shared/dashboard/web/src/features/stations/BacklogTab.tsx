// What waits at a station and when it is at the hub, summed and lane by lane.
import type { NodeLog } from "../../api/fleet";
import { count } from "../../format/quantity";
import { clockTime, parseTime } from "../../format/time";
import { StatusSymbol } from "../../shell/StatusSymbol";
import { BacklogMetrics } from "./BacklogMetrics";
import type { TabProps } from "./NodePage";
import { information } from "./station";

export function BacklogTab({ node, detail, server, frame }: TabProps) {
  const { stale } = information(node, server.kind, frame);
  const report = node.report ?? null;
  return (
    <>
      {report === null ? (
        <p className="empty">Nothing was reported yet: what waits is known after the first session.</p>
      ) : (
        <section className={`panel part-list${stale ? " stale" : ""}`} aria-label="Backlog">
          <dl className="metrics">
            <BacklogMetrics backlog={report.backlog} stale={stale} serverNow={frame.serverNow} />
          </dl>
          <p className="faint">
            {stale ? "Last known: as" : "As"} the station reported at {clockTime(parseTime(report.at))}.
          </p>
        </section>
      )}
      {detail === null ? null : detail.logs.length === 0 ? (
        <p className="empty">Nothing of its journals is committed yet, or this server does not tell.</p>
      ) : (
        <Lanes logs={detail.logs} />
      )}
    </>
  );
}

function Lanes({ logs }: { logs: readonly NodeLog[] }) {
  const newest = Math.max(...logs.map(({ epoch }) => epoch));
  return (
    <section className="panel scroll-x" aria-label="Journals">
      <table className="grid">
        <caption>Journals by lane, counted in batches</caption>
        <thead>
          <tr>
            <th scope="col">Lane</th>
            <th scope="col">Journal</th>
            {[
              "Committed up to",
              "Committed beyond",
              "Newest named",
              "Waiting",
              "Records",
              "Gaps",
              "Forks",
              "Kept apart",
            ].map((title) => (
              <th key={title} scope="col" className="number">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {logs.map((log) => (
            <tr key={`${log.epoch} ${log.lane}`}>
              <th scope="row">{log.lane}</th>
              <td>
                {log.epoch} {log.epoch === newest ? "in use" : <span className="faint">older</span>}
              </td>
              <td className="number">{count(log.watermark)}</td>
              <td className="number">{count(log.committed_beyond)}</td>
              <td className="number">{count(log.head)}</td>
              <td className="number">{count(log.waiting)}</td>
              <td className="number">{count(log.records)}</td>
              <Fault number={log.gaps} />
              <Fault number={log.forks} />
              <Fault number={log.apart} />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Fault({ number }: { number: number }) {
  return (
    <td className="number">
      {number === 0 ? null : <StatusSymbol status="caution" />} {count(number)}
    </td>
  );
}
