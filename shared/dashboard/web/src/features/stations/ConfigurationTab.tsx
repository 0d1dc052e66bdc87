// Which documents a station should hold, and which it holds.
import type { NodeDocumentStanding } from "../../api/fleet";
import { dateAndTime, duration, parseTime } from "../../format/time";
import { type Status, StatusSymbol } from "../../shell/StatusSymbol";
import type { TabProps } from "./NodePage";

const STATES: Record<NodeDocumentStanding["state"], { status: Status; text: string }> = {
  behind: { status: "caution", text: "behind" },
  current: { status: "normal", text: "as wanted" },
  unknown: { status: "off", text: "not known" },
};

const KINDS: Record<NodeDocumentStanding["kind"], string> = {
  "alarm-rules": "alarm rules",
  "detection-rules": "detection rules",
  dictionary: "dictionary",
  endpoints: "hub endpoints",
  limits: "limits",
  model: "model",
  trust: "trust list",
};

export function ConfigurationTab({ detail, frame }: TabProps) {
  if (detail === null) return null;
  if (detail.documents.length === 0)
    return <p className="empty">The hub has no documents for it, or this server does not tell.</p>;
  return (
    <section className="panel scroll-x" aria-label="Configuration">
      <table className="grid">
        <caption>Versions wanted and held</caption>
        <thead>
          <tr>
            <th scope="col">Standing</th>
            <th scope="col">Mission</th>
            <th scope="col">Document</th>
            <th scope="col" className="number">
              Wanted
            </th>
            <th scope="col" className="number">
              Held
            </th>
            <th scope="col">Missing</th>
            <th scope="col">Since</th>
          </tr>
        </thead>
        <tbody>
          {detail.documents.map((document) => (
            <DocumentRow
              key={`${document.mission ?? ""} ${document.kind}`}
              document={document}
              serverNow={frame.serverNow}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function DocumentRow({ document, serverNow }: { document: NodeDocumentStanding; serverNow: number }) {
  const { status, text } = STATES[document.state];
  const since = document.since ? parseTime(document.since) : null;
  return (
    <tr>
      <td>
        <StatusSymbol status={status} /> {text}
      </td>
      <td>
        {document.mission ? <bdi>{document.mission}</bdi> : <span className="faint">the node itself</span>}
      </td>
      <th scope="row">{KINDS[document.kind]}</th>
      <td className="number">{document.wanted ?? "none"}</td>
      <td className="number">{document.held ?? "none"}</td>
      <td>{document.missing.join(", ")}</td>
      <td title={since === null ? undefined : dateAndTime(since)}>
        {since === null ? "" : `for ${duration(serverNow - since)}`}
      </td>
    </tr>
  );
}
