// Who is told after how long, read out of the text beside it; and forms that add to the text without touching the rest.
import { useState } from "react";
import { Act } from "../alarms/Act";
import { SEVERITIES } from "../alarms/alarm";
import { type Escalation, type Ladder, withContact, withLadder } from "./escalation";

interface Props {
  text: string;
  escalation: Escalation;
  /** Why the text cannot be changed; `null` when it can. */
  refusal: string | null;
  /** Names of contacts in force, to whom a test can be sent. */
  inForce: ReadonlySet<string>;
  testRefusal: string | null;
  onText: (text: string) => void;
  onGo: (line: number) => void;
  onTest: (contact: string) => void;
}

export function EscalationPanel(props: Props) {
  const { text, escalation, refusal, inForce, testRefusal, onText, onGo, onTest } = props;
  return (
    <aside className="panel escalation" aria-label="Who is told">
      <h2>Who is told</h2>
      {escalation.ladders.length === 0 ? (
        <p className="notice caution">
          The document has no ladder: nobody is told of an alarm that nobody acknowledges.
        </p>
      ) : null}
      {escalation.ladders.map((ladder) => (
        <LadderText key={`${ladder.line} ${ladder.name}`} ladder={ladder} onGo={onGo} />
      ))}
      <NewLadderForm
        refusal={refusal}
        people={[
          ...escalation.contacts.map(({ name }) => name),
          ...escalation.onCall.map((name) => `on-call:${name}`),
        ]}
        onAdd={(name, atLeast, after, to) =>
          onText(withLadder(text, { name, atLeast, steps: [{ after, to: [to] }] }))
        }
      />
      <h2>Contacts</h2>
      <ul className="contacts">
        {escalation.contacts.map((contact) => (
          <li key={`${contact.line} ${contact.name}`}>
            <button type="button" className="quiet" onClick={() => onGo(contact.line)}>
              <bdi>{contact.name}</bdi>
            </button>
            <span className="faint grow">
              <bdi>{contact.way}</bdi>
            </span>
            <Act
              text="Send a test"
              refusal={
                testRefusal ??
                (inForce.has(contact.name) ? null : "Save first: a test goes to a contact in force.")
              }
              onAct={() => onTest(contact.name)}
            />
          </li>
        ))}
      </ul>
      <NewContactForm
        refusal={refusal}
        onAdd={(name, way, address) => onText(withContact(text, name, way, address))}
      />
    </aside>
  );
}

function LadderText({ ladder, onGo }: { ladder: Ladder; onGo: (line: number) => void }) {
  return (
    <section>
      <h3>
        <button type="button" className="quiet" onClick={() => onGo(ladder.line)}>
          <bdi>{ladder.name}</bdi>
        </button>{" "}
        <span className="faint">
          {ladder.atLeast === "" ? "any severity" : `${ladder.atLeast} and worse`}
        </span>
      </h3>
      <ol className="steps">
        {ladder.steps.map((step, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a step has no name but its place.
          <li key={index}>
            {step.after === "" ? "at once" : `after ${step.after}`}: <bdi>{step.to.join(", ")}</bdi>
          </li>
        ))}
        {ladder.repeat === "" ? null : <li className="faint">{ladder.repeat}</li>}
      </ol>
    </section>
  );
}

interface NewContactProps {
  refusal: string | null;
  onAdd: (name: string, way: string, address: string) => void;
}

function NewContactForm({ refusal, onAdd }: NewContactProps) {
  const [name, setName] = useState("");
  const [way, setWay] = useState("email");
  const [address, setAddress] = useState("");
  const missing = name.trim() === "" || address.trim() === "" ? "Name and address are needed." : null;
  return (
    <details>
      <summary>Add a contact</summary>
      <div className="acts">
        <Field label="Name" text={name} onText={setName} />
        <label className="field">
          <span className="visually-hidden">By</span>
          <select value={way} onChange={(event) => setWay(event.target.value)}>
            <option value="email">e-mail</option>
            <option value="webhook">webhook</option>
            <option value="slack">Slack and alike</option>
          </select>
        </label>
        <Field
          label={way === "email" ? "Address" : "Channel of the hub"}
          text={address}
          onText={setAddress}
        />
        <Act
          text="Add to the text"
          refusal={refusal ?? missing}
          onAct={() => onAdd(name.trim(), way, address.trim())}
        />
      </div>
    </details>
  );
}

interface NewLadderProps {
  refusal: string | null;
  people: readonly string[];
  onAdd: (name: string, atLeast: string, after: string, to: string) => void;
}

function NewLadderForm({ refusal, people, onAdd }: NewLadderProps) {
  const [name, setName] = useState("");
  const [atLeast, setAtLeast] = useState("warning");
  const [after, setAfter] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const to = chosen ?? people[0] ?? "";
  const missing = name.trim() === "" ? "A name is needed." : to === "" ? "Add a contact first." : null;
  return (
    <details>
      <summary>Add a ladder</summary>
      <div className="acts">
        <Field label="Name" text={name} onText={setName} />
        <label className="field">
          <span className="faint">At least</span>
          <select value={atLeast} onChange={(event) => setAtLeast(event.target.value)}>
            {SEVERITIES.map((severity) => (
              <option key={severity}>{severity}</option>
            ))}
          </select>
        </label>
        <Field label="After (empty: at once)" text={after} onText={setAfter} />
        <label className="field">
          <span className="faint">Tell</span>
          <select value={to} onChange={(event) => setChosen(event.target.value)}>
            {people.map((person) => (
              <option key={person}>{person}</option>
            ))}
          </select>
        </label>
        <Act
          text="Add to the text"
          refusal={refusal ?? missing}
          onAct={() => onAdd(name.trim(), atLeast, after, to)}
        />
      </div>
    </details>
  );
}

function Field({ label, text, onText }: { label: string; text: string; onText: (text: string) => void }) {
  return (
    <label className="field">
      <span className="faint">{label}</span>
      <input value={text} maxLength={200} onChange={(event) => onText(event.target.value)} />
    </label>
  );
}
