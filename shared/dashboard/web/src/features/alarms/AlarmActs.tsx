// What can be done about one alarm.
import { useState } from "react";
import type { Alarm, AlarmAct, AlarmHistory, AlarmSuppression, AlarmUsefulness } from "../../types";
import { Act } from "./Act";
import { judgementText } from "./alarm";
import { Escalate } from "./Escalate";
import { ShelveFor } from "./ShelveFor";
import { type PassEnd, type Shelving, shelvedUntil, shelvingRefusal } from "./shelving";

interface Props {
  alarm: Alarm;
  escalation: AlarmHistory["escalation"];
  /** When the pass is over. */
  passEnd: PassEnd;
  serverNow: number;
  me: string;
  /** Why nothing can be done; `null` when it can. */
  refusal: string | null;
  /** `onDone` is called once it has come about: until then what was typed may be needed again. */
  onAct: (act: AlarmAct, note: string, onDone: () => void) => void;
}

const JUDGEMENTS: readonly { usefulness: AlarmUsefulness; text: string; title: string }[] = [
  { usefulness: "true", text: "Right", title: "The detection was right" },
  {
    usefulness: "false",
    text: "False alarm",
    title: "There was nothing: the next training makes room for it",
  },
  { usefulness: "known", text: "Known", title: "It was right, and everybody knew" },
];

export function AlarmActs({ alarm, escalation, passEnd, serverNow, me, refusal, onAct }: Props) {
  const [note, setNote] = useState("");
  const [shelving, setShelving] = useState<Shelving>(15);
  const until = shelvedUntil(shelving, passEnd, serverNow);
  const notices = alarm.unacknowledged.map((notice) => notice.entry);
  const act = (what: AlarmAct, onDone = () => {}) =>
    onAct(what, note, () => {
      onDone();
      // What was typed meanwhile is for the next act.
      setNote((now) => (now === note ? "" : now));
    });
  return (
    <div className="alarm-acts">
      <div className="acts">
        <label className="field grow">
          <span className="faint">Note</span>
          <input value={note} maxLength={1000} onChange={(event) => setNote(event.target.value)} />
        </label>
        <Act
          text="Acknowledge"
          className="primary"
          refusal={refusal ?? (notices.length === 0 ? "Nothing is unacknowledged." : null)}
          onAct={() => act({ acknowledge: { notices } })}
        />
        <Act
          text="Comment"
          refusal={refusal ?? (note.trim() === "" ? "Write the comment as the note." : null)}
          onAct={() => act({ comment: {} })}
        />
        {alarm.process === "latched" ? (
          <Act text="Reset" refusal={refusal} onAct={() => act({ reset: {} })} />
        ) : null}
        <Escalate escalation={escalation} serverNow={serverNow} refusal={refusal} onAct={act} />
      </div>
      <div className="acts">
        {alarm.shelved_until ? (
          <Act text="Unshelve" refusal={refusal} onAct={() => act({ unshelve: {} })} />
        ) : (
          <>
            <ShelveFor shelving={shelving} end={passEnd} serverNow={serverNow} onShelving={setShelving} />
            <Act
              text="Shelve"
              refusal={refusal ?? shelvingRefusal(shelving, passEnd, serverNow, note)}
              onAct={() => until !== null && act({ shelve: { until: new Date(until).toISOString() } })}
            />
          </>
        )}
        <Suppression alarm={alarm} refusal={refusal} onAct={act} />
        <Assignment alarm={alarm} me={me} refusal={refusal} onAct={act} />
      </div>
      <fieldset className="acts">
        <legend className="visually-hidden">Was it right?</legend>
        <span className="faint">Was it right?</span>
        {JUDGEMENTS.map(({ usefulness, text, title }) => (
          <button
            key={usefulness}
            type="button"
            aria-pressed={alarm.usefulness.includes(usefulness)}
            aria-disabled={refusal !== null}
            title={refusal ?? title}
            onClick={() => refusal === null && act({ judge: { usefulness } })}
          >
            {text}
          </button>
        ))}
        <span className={alarm.usefulness.length > 1 ? "state serious" : "faint"}>
          {judgementText(alarm)}
        </span>
      </fieldset>
    </div>
  );
}

interface PartProps {
  alarm: Alarm;
  refusal: string | null;
  onAct: (act: AlarmAct, onDone?: () => void) => void;
}

function Suppression({ alarm, refusal, onAct }: PartProps) {
  const [kind, setKind] = useState<AlarmSuppression>("out-of-service");
  const [order, setOrder] = useState("");
  if (alarm.suppression)
    return <Act text="Back into service" refusal={refusal} onAct={() => onAct({ restore: {} })} />;
  return (
    <>
      <label className="field">
        <span className="visually-hidden">Take out as</span>
        <select value={kind} onChange={(event) => setKind(event.target.value as AlarmSuppression)}>
          <option value="out-of-service">Out of service</option>
          <option value="by-design">Not expected by design</option>
        </select>
      </label>
      <label className="field">
        <span className="visually-hidden">Work order or rule</span>
        <input
          value={order}
          placeholder="Work order or rule"
          maxLength={200}
          onChange={(event) => setOrder(event.target.value)}
        />
      </label>
      <Act
        text="Take out"
        refusal={refusal ?? (order.trim() === "" ? "Say by which work order or rule." : null)}
        onAct={() => onAct({ suppress: { kind, order: order.trim() } })}
      />
    </>
  );
}

function Assignment({ alarm, me, refusal, onAct }: PartProps & { me: string }) {
  const [person, setPerson] = useState("");
  const isMine = alarm.owners.length === 1 && alarm.owners[0] === me;
  return (
    <>
      <label className="field">
        <span className="visually-hidden">Assign to</span>
        <input
          value={person}
          placeholder="Person"
          maxLength={200}
          onChange={(event) => setPerson(event.target.value)}
        />
      </label>
      <Act
        text="Assign"
        refusal={refusal ?? (person.trim() === "" ? "Say to whom." : null)}
        onAct={() => onAct({ assign: { to: person.trim() } }, () => setPerson(""))}
      />
      {isMine ? (
        <Act text="Not mine" refusal={refusal} onAct={() => onAct({ assign: { to: null } })} />
      ) : (
        <Act text="Take it" refusal={refusal} onAct={() => onAct({ assign: { to: me } })} />
      )}
    </>
  );
}
