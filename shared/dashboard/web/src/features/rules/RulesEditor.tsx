// The rules document as text, with who is told beside it. What is typed is a draft until it is saved as a new version.
import { useDeferredValue, useMemo, useRef } from "react";
import { Failure } from "../../shell/Notice";
import type { RulesProblem } from "../../types";
import { Act } from "../alarms/Act";
import { DiffView } from "./DiffView";
import { EscalationPanel } from "./EscalationPanel";
import { countedUp, readEscalation } from "./escalation";
import { Problems } from "./Problems";
import { TextEditor, type TextEditorHandle } from "./TextEditor";

export interface RulesDraft {
  text: string;
  reason: string;
  /** The newest version when typing began; 0 when there was none. */
  basedOn: number;
}

interface Props {
  /** Text of the newest version; empty when there is none. */
  text: string;
  newest: number;
  /** The newest version's own number. */
  documentVersion: number;
  problems: readonly RulesProblem[];
  draft: RulesDraft | null;
  refusal: string | null;
  testRefusal: string | null;
  saving: boolean;
  error: unknown;
  onDraft: (draft: RulesDraft | null) => void;
  onSave: (draft: RulesDraft) => void;
  onTest: (contact: string) => void;
}

const MARKS_OF_DRAFT: ReadonlySet<number> = new Set();

export function RulesEditor(props: Props) {
  const { text, newest, documentVersion, problems, draft, refusal, testRefusal, saving, error } = props;
  const editor = useRef<TextEditorHandle>(null);
  const shown = draft?.text ?? text;
  const read = useDeferredValue(shown);
  const escalation = useMemo(() => readEscalation(read), [read]);
  const inForce = useMemo(
    () => new Set(readEscalation(text).contacts.map((contact) => contact.name)),
    [text],
  );
  // Lines of the saved text are not those of a draft.
  const marked = useMemo(
    () => (draft === null ? new Set(problems.map(({ line }) => line)) : MARKS_OF_DRAFT),
    [draft, problems],
  );
  const change = (next: Partial<RulesDraft>) =>
    props.onDraft({ ...(draft ?? { text, reason: "", basedOn: newest }), ...next });
  const isOvertaken = draft !== null && draft.basedOn !== newest;
  const why =
    refusal ??
    (saving
      ? "It is on its way."
      : draft === null || draft.text === text
        ? "Nothing was changed."
        : isOvertaken
          ? `Version ${newest} was saved since. Look at what it changed, then go on from it.`
          : draft.reason.trim() === ""
            ? "Say why in a few words."
            : null);
  const isCounted = draft === null || (escalation.version ?? 0) > documentVersion;
  const goTo = (line: number, column = 1) => editor.current?.goTo(line, column);
  return (
    <div className="rules-editor">
      <div className="rules-text">
        {draft === null ? (
          <Problems problems={problems} onGo={goTo} />
        ) : (
          <p className="faint">
            Not saved yet. What is wrong is told with its line when it is saved; such parts are left out and
            all others count.
          </p>
        )}
        <TextEditor
          ref={editor}
          label="Rules as TOML"
          text={shown}
          marked={marked}
          readOnly={refusal !== null}
          onText={(next) => change({ text: next })}
        />
        {isOvertaken ? (
          <section className="notice caution" aria-label="Saved by somebody else">
            <div>
              <strong>Version {newest} was saved since you began.</strong> Nothing you typed is lost. Beside
              it, your text changes this:
              <DiffView label="Your changes beside the newest version" before={text} after={draft.text} />
            </div>
            <button type="button" onClick={() => change({ basedOn: newest })}>
              I have merged it
            </button>
          </section>
        ) : null}
        <div className="acts">
          <label className="field grow">
            <span className="faint">Why</span>
            <input
              value={draft?.reason ?? ""}
              maxLength={1000}
              disabled={refusal !== null}
              onChange={(event) => change({ reason: event.target.value })}
            />
          </label>
          {isCounted ? null : (
            <Act
              text={`Count version up from ${documentVersion}`}
              refusal={refusal}
              onAct={() => change({ text: countedUp(shown) })}
            />
          )}
          <Act
            text="Discard"
            refusal={draft === null ? "Nothing was changed." : null}
            onAct={() => props.onDraft(null)}
          />
          <Act
            className="primary"
            text="Save as a new version"
            refusal={why}
            onAct={() => draft !== null && props.onSave(draft)}
          />
        </div>
        {draft === null && refusal === null ? null : <p className="faint">{why}</p>}
        {error === null ? null : <Failure error={error} />}
      </div>
      <EscalationPanel
        text={shown}
        escalation={escalation}
        refusal={refusal}
        inForce={inForce}
        testRefusal={testRefusal}
        onText={(next) => change({ text: next })}
        onGo={(line) => goTo(line)}
        onTest={props.onTest}
      />
    </div>
  );
}
