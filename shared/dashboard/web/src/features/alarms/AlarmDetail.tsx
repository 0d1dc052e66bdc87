// One alarm: why it was raised, what happened to it, who was told, and what can be done about it.
import { Link } from "@tanstack/react-router";
import { type ReactNode, useId, useState } from "react";
import { dateAndTime, parseTime } from "../../format/time";
import { Failure } from "../../shell/Notice";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { AlarmAct, AlarmEntry, AlarmHistory } from "../../types";
import { AlarmActs } from "./AlarmActs";
import { factText, severityOf, sinceOf, stateText, statusOf } from "./alarm";
import { PlotAround } from "./PlotAround";
import { Reason } from "./Reason";
import type { PassEnd } from "./shelving";
import type { SiteOf } from "./useSites";

interface Props {
  mission: string;
  history: AlarmHistory;
  unit: string | null;
  /** When the pass is over. */
  passEnd: PassEnd;
  serverNow: number;
  me: string;
  /** Why nothing can be done; `null` when it can. */
  refusal: string | null;
  error: unknown;
  siteOf: SiteOf;
  /** The newest value. */
  liveValue: ReactNode;
  /** Who was told. */
  messages: ReactNode;
  onAct: (act: AlarmAct, note: string, onDone: () => void) => void;
  /** Does again what failed. */
  onRetry: () => void;
  onClose: () => void;
}

export function AlarmDetail(props: Props) {
  const { mission, history, unit, serverNow, me, refusal, error, siteOf, onAct, onRetry, onClose } = props;
  const heading = useId();
  const { alarm, entries } = history;
  const severity = severityOf(alarm);
  return (
    <section className="panel alarm" aria-labelledby={heading}>
      <header>
        <StatusSymbol status={statusOf(severity)} hollow={!alarm.rings} />
        <h2 id={heading}>
          <bdi>{alarm.parameter}</bdi>
        </h2>
        <span className={`state ${statusOf(severity)}`}>{severity}</span>
        <span>{stateText(alarm)}</span>
        <span className="faint">
          mission <bdi>{mission}</bdi>
          {alarm.node ? `, about station ${siteOf(alarm.node)}` : ""}
        </span>
        <span className="grow" />
        {alarm.node ? null : (
          <>
            <PlotAround mission={mission} parameter={alarm.parameter} at={sinceOf(alarm)} />
            <Link to="/m/$mission/limits" params={{ mission }} search={{ parameter: alarm.parameter }}>
              Limits
            </Link>
          </>
        )}
        <CopyLink />
        <button type="button" className="quiet" onClick={onClose} title="Esc">
          Close
        </button>
      </header>
      <Reason alarm={alarm} entries={entries} unit={unit} liveValue={props.liveValue} />
      <AlarmActs
        alarm={alarm}
        escalation={history.escalation}
        passEnd={props.passEnd}
        serverNow={serverNow}
        me={me}
        refusal={refusal}
        onAct={onAct}
      />
      {error === null ? null : <Failure error={error} onRetry={onRetry} />}
      <div className="alarm-columns">
        <ol className="entries" aria-label="History">
          {entries.map((entry) => (
            <Entry key={entry.id} entry={entry} siteOf={siteOf} />
          ))}
        </ol>
        {props.messages}
      </div>
    </section>
  );
}

function Entry({ entry, siteOf }: { entry: AlarmEntry; siteOf: SiteOf }) {
  const at = parseTime(entry.recorded);
  return (
    <li>
      <time>{dateAndTime(at)}</time>{" "}
      {entry.by ? (
        <strong>
          <bdi>{entry.by}</bdi>
        </strong>
      ) : null}{" "}
      <bdi>{factText(entry)}</bdi>
      {entry.note ? (
        <q>
          <bdi>{entry.note}</bdi>
        </q>
      ) : null}
      <span className="faint"> {entry.node ? `at ${siteOf(entry.node)}` : "at the hub"}</span>
    </li>
  );
}

/** Pages without TLS have no clipboard: there the address is shown to be copied by hand. */
function CopyLink() {
  const [copied, setCopied] = useState<"by-hand" | "copied" | null>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(window.location.href);
      setCopied("copied");
    } catch {
      setCopied("by-hand");
    }
  };
  return (
    <>
      <button type="button" className="quiet" onClick={() => void copy()}>
        Copy link
      </button>
      {copied === "by-hand" ? (
        <input readOnly aria-label="Link to this alarm" value={window.location.href} />
      ) : (
        <output>{copied ?? ""}</output>
      )}
    </>
  );
}
