// Which station, how it stands to the hub, and how old that is.
import { age, clockTime, dateAndTime, duration, parseTime } from "../../format/time";
import type { Frame } from "../../live/client";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { Node, Server } from "../../types";
import { information, STATE_STATUS, STATE_WORDS } from "./station";

interface Props {
  node: Node;
  server: Server["kind"];
  frame: Frame;
}

export function NodeHeader({ node, server, frame }: Props) {
  const { age: howOld, stale } = information(node, server, frame);
  const status = STATE_STATUS[node.state];
  // That there is no session is what the server knows now, however old the rest is.
  const frozen = frame.health.state !== "live";
  return (
    <header className={`station-head${stale ? " stale" : ""}`} data-state={node.state} data-stale={stale}>
      <div className="page-head">
        <StatusSymbol status={status} hollow={frozen || (stale && node.state === "connected")} />
        <h1>
          <bdi>{node.site}</bdi> <bdi className="faint">{node.name}</bdi>
        </h1>
        {stale && node.state === "connected" ? <span className="faint">last known</span> : null}
        <span className={`state ${status}`}>{STATE_WORDS[node.state]}</span>
        {node.since ? (
          <span className="faint" title={dateAndTime(parseTime(node.since))}>
            {sinceText(node.since, frame)}
          </span>
        ) : null}
        <span className="grow" />
        <span className={stale ? "lost" : "faint"}>{contactText(howOld, stale, server)}</span>
      </div>
      {node.problem ? (
        <p>
          <StatusSymbol status={node.state === "revoked" ? "critical" : "caution"} />{" "}
          <bdi>{node.problem}</bdi>
        </p>
      ) : null}
    </header>
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
