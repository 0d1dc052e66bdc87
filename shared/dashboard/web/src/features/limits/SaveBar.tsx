// All that was changed: try it on what was received, say why, and save it as a new version.
import { useState } from "react";
import { plural } from "../../format/quantity";
import { Act } from "../alarms/Act";
import type { LimitsDraft } from "./draft";

const DAYS = [1, 7, 31] as const;

interface Props {
  draft: LimitsDraft;
  /** Why it can be neither tried nor saved; `null` when it can. */
  refusal: string | null;
  /** Why it cannot be saved yet, beyond that. */
  saveRefusal: string | null;
  trying: boolean;
  onDraft: (change: Partial<LimitsDraft>) => void;
  onTry: (days: number) => void;
  onSave: () => void;
  onDiscard: () => void;
}

export function SaveBar({ draft, refusal, saveRefusal, trying, onDraft, onTry, onSave, onDiscard }: Props) {
  const [days, setDays] = useState<number>(7);
  return (
    <section className="panel save-bar acts" aria-label="Changes that are not saved">
      <strong>{plural(Object.keys(draft.changes).length, "parameter")} changed</strong>
      <label className="field">
        <span className="faint">Try on the last</span>
        <select value={days} onChange={(event) => setDays(Number(event.target.value))}>
          {DAYS.map((choice) => (
            <option key={choice} value={choice}>
              {plural(choice, "day")}
            </option>
          ))}
        </select>
      </label>
      <Act
        text="Try"
        refusal={refusal ?? (trying ? "The last trial is under way." : null)}
        onAct={() => onTry(days)}
      />
      <label className="field grow">
        <span className="faint">Why</span>
        <input
          value={draft.note}
          maxLength={1000}
          onChange={(event) => onDraft({ note: event.target.value })}
        />
      </label>
      <label className="field">
        <span className="faint">In force from (UTC)</span>
        <input
          value={draft.effectiveFrom}
          placeholder="now"
          maxLength={40}
          onChange={(event) => onDraft({ effectiveFrom: event.target.value })}
        />
      </label>
      <span className="grow faint">{refusal ?? saveRefusal}</span>
      <button type="button" onClick={onDiscard}>
        Discard all
      </button>
      <Act className="primary" text="Save as a new version" refusal={refusal ?? saveRefusal} onAct={onSave} />
    </section>
  );
}
