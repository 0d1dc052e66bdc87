// All stations in one line: how many are in which state, and what still waits to arrive.
import { bytes, count, plural } from "../../format/quantity";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { Node, NodeState } from "../../types";
import { STATE_STATUS, STATE_WORDS } from "./station";

interface Props {
  nodes: readonly Node[];
  /** Nothing can have been heard since, because the connection is frozen. */
  frozen: boolean;
}

export function StationSummary({ nodes, frozen }: Props) {
  const states = Object.keys(STATE_WORDS) as NodeState[];
  const waiting = nodes.reduce((sum, node) => sum + (node.report?.backlog.packets ?? 0), 0);
  const size = nodes.reduce((sum, node) => sum + (node.report?.backlog.bytes ?? 0), 0);
  const archived = nodes.reduce((sum, node) => sum + node.archived_packets, 0);
  return (
    <ul className={`summary${frozen ? " faint" : ""}`} aria-label="Summary of stations">
      {frozen ? <li>last known:</li> : null}
      {states.map((state) => {
        const number = nodes.filter((node) => node.state === state).length;
        return number === 0 ? null : (
          <li key={state}>
            <StatusSymbol status={STATE_STATUS[state]} hollow={frozen} /> {count(number)} {STATE_WORDS[state]}
          </li>
        );
      })}
      <li>
        {plural(waiting, "packet")} waiting <span className="faint">({bytes(size)})</span>
      </li>
      <li>{plural(archived, "packet")} archived</li>
    </ul>
  );
}
