// What keys do, and what symbols say.
import { Link } from "@tanstack/react-router";
import { KEY_HELP } from "./keys";
import { Modal } from "./Modal";
import { type Status, StatusSymbol } from "./StatusSymbol";

const SYMBOLS: readonly [Status, string][] = [
  ["critical", "critical: somebody must act"],
  ["serious", "serious: getting worse, or a link is lost"],
  ["caution", "caution: out of the usual"],
  ["normal", "normal"],
  ["standby", "standby: it waits"],
  ["off", "off, or never heard of"],
  ["invalid", "no measurement"],
];

export function KeyHelp({ onClose }: { onClose: () => void }) {
  return (
    <Modal title="Keys and symbols" className="key-help" onClose={onClose}>
      <div className="columns">
        <dl>
          {KEY_HELP.map(([keys, what]) => (
            <div key={keys}>
              <dt className="key">{keys}</dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <ul>
          {SYMBOLS.map(([status, words]) => (
            <li key={status}>
              <StatusSymbol status={status} /> {words}
            </li>
          ))}
          <li>
            <StatusSymbol status="normal" hollow /> hollow: old, with its age beside it
          </li>
          <li>A dashed border shows a fixed range, a hatched one a replay; without either it is live.</li>
        </ul>
      </div>
      <p>
        <Link to="/help/$" params={{ _splat: "introduction" }} onClick={onClose}>
          The handbook
        </Link>
      </p>
      <button type="button" onClick={onClose}>
        Close
      </button>
    </Modal>
  );
}
