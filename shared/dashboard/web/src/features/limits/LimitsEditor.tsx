// The limits of one parameter: those in force, and those that are to be.
import { Link } from "@tanstack/react-router";
import { useId } from "react";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { ParameterDescription, ParameterLimits } from "../../types";
import { Act } from "../alarms/Act";
import { ContextFields } from "./ContextFields";
import { draftOf, type OverlayDraft, type ParameterDraft, problemsOf } from "./draft";
import { limitsText } from "./limits";

interface Props {
  mission: string;
  parameter: ParameterDescription;
  limits: ParameterLimits | undefined;
  /** `null` while nothing is changed. */
  draft: ParameterDraft | null;
  /** Why nothing can be changed; `null` when it can. */
  refusal: string | null;
  onDraft: (draft: ParameterDraft | null) => void;
  onClose: () => void;
}

/** Limits that are kept beside the dictionary are of numbers. */
const NUMERIC = new Set(["float", "integer"]);

export function LimitsEditor({ mission, parameter, limits, draft, refusal, onDraft, onClose }: Props) {
  const heading = useId();
  const { name, kind, unit, description } = parameter;
  const notHere = NUMERIC.has(kind)
    ? refusal
    : `Limits set here are of numbers; ${parameter.short_name} is of kind ${kind}, so only the dictionary has some.`;
  const shown = draft ?? draftOf(limits);
  const problems = problemsOf(shown);
  const change = (next: Partial<OverlayDraft>) => {
    const base = shown.kind === "overlay" ? shown : draftOf(limits);
    onDraft({ ...base, ...next });
  };
  return (
    <section className="panel limits-editor" aria-labelledby={heading}>
      <header className="acts">
        <h2 id={heading}>
          <bdi>{name}</bdi>
        </h2>
        <span className="faint">
          {unit ?? ""} {description ?? ""}
        </span>
        <span className="grow" />
        <Link to="/m/$mission/explore" params={{ mission }} search={{ p: [name] }}>
          Plot
        </Link>
        <Link to="/m/$mission/alarms" params={{ mission }} search={{ q: name }}>
          Alarms
        </Link>
        <button type="button" className="quiet" onClick={onClose}>
          Close
        </button>
      </header>
      <p>
        <span className="faint">In force: </span>
        <bdi>{limits === undefined ? "no limits" : limitsText(limits)}</bdi>
      </p>
      {notHere === null ? null : <p className="notice">{notHere}</p>}
      {shown.kind === "dictionary" ? (
        <p className="notice">What the dictionary says is to count again.</p>
      ) : (
        <Fields shown={shown} disabled={notHere !== null} onChange={change} />
      )}
      {draft === null ? null : <Wrong problems={problems} />}
      <div className="acts">
        <Act
          text="Back to the dictionary's"
          refusal={notHere ?? (limits?.source === "overlay" ? null : "They are the dictionary's already.")}
          onAct={() => onDraft({ kind: "dictionary" })}
        />
        <Act
          text="Discard"
          refusal={draft === null ? "Nothing was changed." : null}
          onAct={() => onDraft(null)}
        />
      </div>
    </section>
  );
}

interface FieldsProps {
  shown: OverlayDraft;
  disabled: boolean;
  onChange: (next: Partial<OverlayDraft>) => void;
}

function Fields({ shown, disabled, onChange }: FieldsProps) {
  const { contexts } = shown;
  return (
    <fieldset disabled={disabled} className="limit-fields">
      <legend className="visually-hidden">Limits that are to be</legend>
      {contexts.map((context, index) => (
        <ContextFields
          // biome-ignore lint/suspicious/noArrayIndexKey: a condition may be typed twice; only its place tells it apart.
          key={index}
          context={context}
          isOnly={contexts.length === 1}
          onContext={(next) => onChange({ contexts: contexts.with(index, next) })}
          onRemove={() => onChange({ contexts: contexts.toSpliced(index, 1) })}
        />
      ))}
      <div className="acts">
        <button
          type="button"
          title="Limits that count while other parameters of the packet have certain values"
          onClick={() => onChange({ contexts: [{ context: "", ranges: {} }, ...contexts] })}
        >
          Add limits with a condition
        </button>
        <NumberField
          label="Successive violations before an alarm"
          text={shown.persistence}
          onText={(persistence) => onChange({ persistence })}
        />
        <NumberField
          label="Hysteresis"
          text={shown.hysteresis}
          onText={(hysteresis) => onChange({ hysteresis })}
        />
        <NumberField label="Deadband" text={shown.deadband} onText={(deadband) => onChange({ deadband })} />
      </div>
    </fieldset>
  );
}

function NumberField(props: { label: string; text: string; onText: (text: string) => void }) {
  return (
    <label className="field">
      <span className="faint">{props.label}</span>
      <input
        className="number"
        inputMode="decimal"
        value={props.text}
        onChange={(event) => props.onText(event.target.value)}
      />
    </label>
  );
}

function Wrong({ problems }: { problems: readonly string[] }) {
  if (problems.length === 0) return null;
  return (
    <div className="notice serious" role="status">
      <StatusSymbol status="serious" />
      <ul>
        {problems.map((problem) => (
          <li key={problem}>{problem}</li>
        ))}
      </ul>
    </div>
  );
}
