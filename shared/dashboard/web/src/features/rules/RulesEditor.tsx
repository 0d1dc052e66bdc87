// A rules document as text. What is typed is a draft until it is saved as a new version.
import { type ReactNode, useDeferredValue, useMemo, useRef, useState } from "react";
import { ProblemError } from "../../api/client";
import { Failure } from "../../shell/Notice";
import type { RulesProblem, RulesVersion } from "../../types";
import { Act } from "../alarms/Act";
import { DiffView } from "./DiffView";
import { countedUp, versionOf } from "./document";
import { Problems } from "./Problems";
import { TextEditor, type TextEditorHandle } from "./TextEditor";

export interface RulesDraft {
  text: string;
  reason: string;
  /** The newest version when typing began; `null` when there was none. */
  basedOn: number | null;
}

/** What the server said of a text. */
export interface CheckedText {
  text: string;
  problems: readonly RulesProblem[];
}

/** Moves the cursor of the text. */
export type GoTo = (line: number, column?: number) => void;

interface Props {
  label: string;
  /** Text of the newest version; empty when there is none. */
  text: string;
  newest: RulesVersion | null;
  draft: RulesDraft | null;
  checked: CheckedText | null;
  refusal: string | null;
  checking: boolean;
  saving: boolean;
  error: unknown;
  onDraft: (draft: RulesDraft | null) => void;
  onCheck: (text: string) => void;
  onSave: (draft: RulesDraft) => void;
  /** What stands when somebody else saved in between. */
  overtaken: ReactNode;
  /** What is read out of the text, and added to it. */
  beside: (goTo: GoTo) => ReactNode;
}

const NOTHING_CHANGED = "Nothing was changed.";
/** Why nothing can be changed meanwhile: it would be neither in what is saved nor kept. */
export const SAVING = "It is on its way.";

export function RulesEditor(props: Props) {
  const { label, text, newest, draft, checked, refusal, checking, saving, error } = props;
  const editor = useRef<TextEditorHandle>(null);
  const shown = draft?.text ?? text;
  const number = newest?.number ?? null;
  // While it is being saved, the newer version may be this one.
  const isOvertaken = !saving && draft !== null && draft.basedOn !== number;
  const isConflict = error instanceof ProblemError && error.problem.code === "STO-RULES-CONFLICT";
  const isChanged = draft !== null && draft.text !== text;
  // Lines of the saved text, or of one that was checked, are not those of another draft.
  const problems = useMemo(() => {
    if (draft === null) return newest?.problems ?? [];
    return checked?.text === draft.text ? checked.problems : null;
  }, [draft, newest, checked]);
  const marked = useMemo(() => new Set((problems ?? []).map(({ line }) => line)), [problems]);
  const change = (next: Partial<RulesDraft>) =>
    props.onDraft({ ...(draft ?? { text, reason: "", basedOn: number }), ...next });
  const locked = refusal ?? (saving ? SAVING : null);
  const why = locked ?? saveRefusal(draft, text, isOvertaken);
  const documentVersion = newest?.document_version ?? 0;
  const isCounted = draft === null || versionOf(shown) > documentVersion;
  const goTo: GoTo = (line, column = 1) => editor.current?.goTo(line, column);
  return (
    <div className="rules-editor">
      <div className="rules-text">
        {refusal === null ? null : <p className="notice">{refusal}</p>}
        {problems === null ? (
          <p className="faint">
            Not saved yet. Check it to see what is wrong with it, line by line: such parts are left out and
            all others count.
          </p>
        ) : (
          <Problems problems={problems} onGo={goTo} />
        )}
        {draft !== null && problems?.length === 0 ? (
          <p className="faint" role="status">
            Not saved yet. Nothing is wrong with it.
          </p>
        ) : null}
        <TextEditor
          ref={editor}
          label={label}
          text={shown}
          marked={marked}
          readOnly={locked !== null}
          onText={(next) => change({ text: next })}
        />
        {isOvertaken ? props.overtaken : null}
        {isChanged && !isOvertaken ? <Changes before={text} after={shown} /> : null}
        <div className="acts">
          <label className="field grow">
            <span className="faint">Why</span>
            <input
              value={draft?.reason ?? ""}
              maxLength={1000}
              disabled={refusal !== null}
              readOnly={saving}
              onChange={(event) => change({ reason: event.target.value })}
            />
          </label>
          {isCounted ? null : (
            <Act
              text={`Count version up from ${documentVersion}`}
              refusal={locked}
              onAct={() => change({ text: countedUp(shown) })}
            />
          )}
          <Act
            text="Check"
            refusal={checkRefusal(locked, isChanged, checking)}
            onAct={() => props.onCheck(shown)}
          />
          <Act
            text="Discard"
            refusal={saving ? SAVING : draft === null ? NOTHING_CHANGED : null}
            onAct={() => props.onDraft(null)}
          />
          <Act
            className="primary"
            text="Save as a new version"
            refusal={why}
            onAct={() => draft !== null && props.onSave(draft)}
          />
        </div>
        {draft === null || refusal !== null ? null : <p className="faint">{why}</p>}
        {error === null || (isConflict && isOvertaken) ? null : <Failure error={error} />}
      </div>
      {props.beside(goTo)}
    </div>
  );
}

function checkRefusal(refusal: string | null, isChanged: boolean, checking: boolean): string | null {
  if (refusal !== null) return refusal;
  if (!isChanged) return "Nothing was changed: what is wrong with the version in force is told already.";
  return checking ? "It is being checked." : null;
}

function saveRefusal(draft: RulesDraft | null, text: string, isOvertaken: boolean): string | null {
  if (draft === null || draft.text === text) return NOTHING_CHANGED;
  if (isOvertaken) return "Somebody else saved rules since: look at them, then go on.";
  return draft.reason.trim() === "" ? "Say why in a few words." : null;
}

function Changes({ before, after }: { before: string; after: string }) {
  const [isOpen, setOpen] = useState(false);
  const shown = useDeferredValue(after);
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>What you change</summary>
      {isOpen ? <DiffView label="Your changes" before={before} after={shown} /> : null}
    </details>
  );
}
