// Acts on several alarms: shows exactly which will change and which changed since they were selected, then what came of it.
import { useEffect, useRef, useState } from "react";
import { count, plural } from "../../format/quantity";
import { Modal } from "../../shell/Modal";
import { Failure } from "../../shell/Notice";
import type { Alarm } from "../../types";
import { Act } from "./Act";
import { ShelveFor } from "./ShelveFor";
import { type Deed, type Left, type Plan, planFor, type Seen } from "./selection";
import { type Shelving, shelvedUntil, shelvingRefusal, USUAL_MINUTES } from "./shelving";
import { acknowledgeJob, eachJob, type Job, type Outcome, useBulkActs } from "./useActs";
import { usePassEnd } from "./usePassEnd";

/** Names that are listed; the others are counted. */
const LISTED = 100;

const TITLES: Record<Deed, string> = {
  acknowledge: "Acknowledge",
  assign: "Assign",
  shelve: "Shelve",
};

interface Props {
  deed: Deed;
  selected: readonly Seen[];
  /** The alarm as it is now; nothing when it is open no more. */
  now: (id: string) => Alarm | undefined;
  serverNow: number;
  me: string;
  onClose: (isDone: boolean) => void;
}

export function BulkDialog({ deed, selected, now, serverNow, me, onClose }: Props) {
  const noteField = useRef<HTMLInputElement>(null);
  const acting = useBulkActs();
  const [note, setNote] = useState("");
  const [shelving, setShelving] = useState<Shelving>(USUAL_MINUTES);
  const [person, setPerson] = useState(me);
  useEffect(() => noteField.current?.focus(), []);
  const plan = planFor(deed, selected, now);
  const passEnd = usePassEnd(
    deed === "shelve" ? selected.map(({ id, mission }) => ({ mission, node: now(id)?.node })) : [],
    serverNow,
  );
  const refusal =
    plan.will.length === 0
      ? "None of these will change."
      : acting.isPending
        ? "It is on its way."
        : deed === "shelve"
          ? shelvingRefusal(shelving, passEnd, serverNow, note)
          : null;
  const job = (): Job => {
    if (deed === "acknowledge") return acknowledgeJob(plan.will, note);
    if (deed === "shelve") {
      // Without an end it is refused before it comes to this.
      const until = new Date(shelvedUntil(shelving, passEnd, serverNow) ?? serverNow).toISOString();
      return eachJob(plan.will, note, { shelve: { until } });
    }
    return eachJob(plan.will, note, { assign: { to: person.trim() === "" ? null : person.trim() } });
  };
  // A second try after a lost answer is the same acts, not new ones.
  const carryOut = () => acting.mutate(acting.isError && acting.variables ? acting.variables : job());
  return (
    <Modal
      title={`${TITLES[deed]} ${plural(selected.length, "alarm")}`}
      className="bulk"
      onClose={() => onClose(acting.data !== undefined)}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (refusal === null && acting.data === undefined) carryOut();
        }}
      >
        {acting.data === undefined ? (
          <>
            <Planned plan={plan} />
            <div className="acts">
              {deed === "shelve" ? (
                <ShelveFor shelving={shelving} end={passEnd} serverNow={serverNow} onShelving={setShelving} />
              ) : null}
              {deed === "assign" ? <Person person={person} onPerson={setPerson} /> : null}
              <label className="field grow">
                <span className="faint">Note</span>
                <input
                  ref={noteField}
                  value={note}
                  maxLength={1000}
                  onChange={(event) => setNote(event.target.value)}
                />
              </label>
            </div>
            {acting.isError ? <Failure error={acting.error} /> : null}
          </>
        ) : (
          <Came outcome={acting.data} />
        )}
        <div className="acts">
          <span className="grow faint">{acting.data === undefined ? refusal : null}</span>
          {acting.data === undefined ? (
            <>
              <button type="button" onClick={() => onClose(false)}>
                Cancel
              </button>
              <Act
                className="primary"
                text={`${TITLES[deed]} ${count(plan.will.length)}`}
                refusal={refusal}
                onAct={carryOut}
              />
            </>
          ) : (
            <button type="button" className="primary" onClick={() => onClose(true)}>
              Close
            </button>
          )}
        </div>
      </form>
    </Modal>
  );
}

function Person({ person, onPerson }: { person: string; onPerson: (person: string) => void }) {
  return (
    <label className="field">
      <span className="faint">To (empty: nobody)</span>
      <input value={person} maxLength={200} onChange={(event) => onPerson(event.target.value)} />
    </label>
  );
}

function Planned({ plan }: { plan: Plan }) {
  return (
    <>
      <Names
        title={`${count(plan.will.length)} will change`}
        items={plan.will.map((seen) => ({ id: seen.id, text: seen.parameter, why: seen.severity }))}
      />
      <Names
        title={`${count(plan.changed.length)} changed since and are left out`}
        items={named(plan.changed)}
      />
      <Names title={`${count(plan.nothing.length)} need nothing`} items={named(plan.nothing)} />
    </>
  );
}

function Came({ outcome }: { outcome: Outcome }) {
  return (
    <div role="status">
      <p>{plural(outcome.done, "alarm")} changed.</p>
      <Names
        title={`${count(outcome.notDone.length)} could not be changed`}
        items={outcome.notDone.map(({ id, parameter, why }) => ({ id, text: parameter, why }))}
      />
    </div>
  );
}

interface Named {
  id: string;
  text: string;
  why: string;
}

function named(left: readonly Left[]): Named[] {
  return left.map(({ seen, why }) => ({ id: seen.id, text: seen.parameter, why }));
}

function Names({ title, items }: { title: string; items: readonly Named[] }) {
  if (items.length === 0) return null;
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <ul className="names">
        {items.slice(0, LISTED).map(({ id, text, why }) => (
          <li key={id}>
            <bdi>{text}</bdi> <span className="faint">{why}</span>
          </li>
        ))}
        {items.length > LISTED ? <li className="faint">and {count(items.length - LISTED)} more</li> : null}
      </ul>
    </section>
  );
}
