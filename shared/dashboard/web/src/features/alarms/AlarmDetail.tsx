// One alarm: what speaks for it, what happened to it, and what can be done about it.
import { useId, useState } from "react";
import { dateAndTime, parseTime } from "../../format/time";
import { Failure } from "../../shell/Notice";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { AlarmAct, AlarmEntry, AlarmHistory } from "../../types";
import { factText, severityOf, stateText, statusOf } from "./alarm";

const SHELVINGS = [
  { minutes: 15, text: "15 min" },
  { minutes: 60, text: "1 h" },
  { minutes: 240, text: "4 h" },
  { minutes: 480, text: "8 h" },
] as const;
/** For longer the server wants a note. */
const MINUTES_WITHOUT_NOTE = 60;

interface Props {
  history: AlarmHistory;
  serverNow: number;
  mayAct: boolean;
  busy: boolean;
  error: unknown;
  onAct: (act: AlarmAct, note: string) => void;
  onClose: () => void;
}

export function AlarmDetail({ history, serverNow, mayAct, busy, error, onAct, onClose }: Props) {
  const heading = useId();
  const { alarm, entries } = history;
  const severity = severityOf(alarm);
  return (
    <section className="panel alarm" aria-labelledby={heading}>
      <header>
        <StatusSymbol status={statusOf(severity)} hollow={!alarm.rings} />
        <h2 id={heading}>{alarm.parameter}</h2>
        <span className={`state ${statusOf(severity)}`}>{severity}</span>
        <span>{stateText(alarm)}</span>
        <span className="faint">
          {alarm.detector}, rule {alarm.rule === "" ? "built in" : alarm.rule}
        </span>
        <span className="grow" />
        <button type="button" className="quiet" onClick={onClose}>
          Close
        </button>
      </header>
      <Acts history={history} serverNow={serverNow} mayAct={mayAct} busy={busy} onAct={onAct} />
      {error === null ? null : <Failure error={error} />}
      <ol className="entries" aria-label="History">
        {entries.map((entry) => (
          <Entry key={entry.id} entry={entry} />
        ))}
      </ol>
    </section>
  );
}

type ActsProps = Pick<Props, "history" | "serverNow" | "mayAct" | "busy" | "onAct">;

function Acts({ history: { alarm }, serverNow, mayAct, busy, onAct }: ActsProps) {
  const [note, setNote] = useState("");
  const [minutes, setMinutes] = useState<number>(SHELVINGS[0].minutes);
  const refusal = mayAct ? (busy ? "The last act is on its way." : null) : "Your role reads only.";
  const notices = alarm.unacknowledged.map((notice) => notice.entry);
  const act = (what: AlarmAct) => {
    onAct(what, note);
    setNote("");
  };
  const needsNote = minutes > MINUTES_WITHOUT_NOTE && note.trim() === "";
  return (
    <div className="acts">
      <label className="field grow">
        <span className="faint">Note</span>
        <input value={note} maxLength={1000} onChange={(event) => setNote(event.target.value)} />
      </label>
      <Act
        text="Acknowledge"
        refusal={refusal ?? (notices.length === 0 ? "Nothing is unacknowledged." : null)}
        onAct={() => act({ acknowledge: { notices } })}
      />
      {alarm.shelved_until ? (
        <Act text="Unshelve" refusal={refusal} onAct={() => act({ unshelve: {} })} />
      ) : (
        <>
          <label className="field">
            <span className="visually-hidden">Shelve for</span>
            <select value={minutes} onChange={(event) => setMinutes(Number(event.target.value))}>
              {SHELVINGS.map((choice) => (
                <option key={choice.minutes} value={choice.minutes}>
                  {choice.text}
                </option>
              ))}
            </select>
          </label>
          <Act
            text="Shelve"
            refusal={refusal ?? (needsNote ? "For more than an hour say why in the note." : null)}
            onAct={() => act({ shelve: { until: new Date(serverNow + minutes * 60_000).toISOString() } })}
          />
        </>
      )}
      {alarm.process === "latched" ? (
        <Act text="Reset" refusal={refusal} onAct={() => act({ reset: {} })} />
      ) : null}
      <Act
        text="Comment"
        refusal={refusal ?? (note.trim() === "" ? "Write the comment as the note." : null)}
        onAct={() => act({ comment: {} })}
      />
    </div>
  );
}

interface ActProps {
  text: string;
  /** Why not; `null` when it can be done. */
  refusal: string | null;
  onAct: () => void;
}

function Act({ text, refusal, onAct }: ActProps) {
  return (
    <button
      type="button"
      aria-disabled={refusal !== null}
      title={refusal ?? undefined}
      onClick={() => refusal === null && onAct()}
    >
      {text}
    </button>
  );
}

function Entry({ entry }: { entry: AlarmEntry }) {
  const at = parseTime(entry.recorded);
  return (
    <li>
      <time>{dateAndTime(at)}</time> {entry.by ? <strong>{entry.by}</strong> : null} {factText(entry)}
      {entry.note ? <q>{entry.note}</q> : null}
      <span className="faint"> {entry.node ? `at node ${entry.node.slice(0, 8)}` : "at the hub"}</span>
    </li>
  );
}
