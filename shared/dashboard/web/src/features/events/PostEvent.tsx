// Posts an event to the mission's log. What is typed outlives a login that ends meanwhile.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId } from "react";
import { ProblemError } from "../../api/client";
import { postEvent } from "../../api/records";
import { count } from "../../format/quantity";
import { useLoggedIn, useRefusal } from "../../session/access";
import { useDraft } from "../../session/draft";
import { Failure } from "../../shell/Notice";
import type { EventSeverity, NewEvent } from "../../types";
import { Act } from "../alarms/Act";
import { newActId } from "../alarms/alarm";
import { SEVERITIES } from "./routes";
import { newerEventsKey } from "./useEventLog";

const CHARACTERS_MAX = 2_000;

export function PostEvent({ mission }: { mission: string }) {
  const client = useQueryClient();
  const { server } = useLoggedIn().session;
  const mayNot = useRefusal("operate");
  const refusal = server.kind === "edge" ? "Events are posted at the hub; a station keeps none." : mayNot;
  const [kept, setDraft] = useDraft<NewEvent>(`event ${mission}`);
  const draft = isEvent(kept) ? kept : null;
  const reason = useId();
  const posting = useMutation({
    mutationFn: (event: NewEvent) => postEvent(mission, event),
    // A lost answer is asked for again with the same id, which is the same event.
    retry: (failures, failed) => !(failed instanceof ProblemError) && failures < 2,
    onSuccess: () => {
      setDraft(null);
      void client.invalidateQueries({ queryKey: newerEventsKey(mission) });
    },
  });

  if (draft === null)
    return (
      <>
        <button
          type="button"
          aria-disabled={refusal !== null}
          title={refusal ?? undefined}
          aria-describedby={refusal === null ? undefined : reason}
          onClick={() => refusal === null && setDraft(blank())}
        >
          Post an event
        </button>
        {refusal === null ? null : (
          <span id={reason} className="visually-hidden">
            {refusal}
          </span>
        )}
      </>
    );

  const characters = [...draft.text].length;
  const isSendable = draft.text.trim() !== "" && characters <= CHARACTERS_MAX;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isSendable && !posting.isPending) posting.mutate(draft);
  };
  return (
    <form className="panel post-event" aria-label="Post an event" onSubmit={submit}>
      <label className="field">
        <span className="faint">Severity</span>
        <select
          value={draft.severity}
          disabled={posting.isPending}
          onChange={(event) => setDraft({ ...draft, severity: event.target.value as EventSeverity })}
        >
          {SEVERITIES.map((severity) => (
            <option key={severity} value={severity}>
              {severity}
            </option>
          ))}
        </select>
      </label>
      <label className="field grow">
        <span className="faint">Text</span>
        <textarea
          rows={2}
          value={draft.text}
          // What is typed by then would go with the draft.
          readOnly={posting.isPending}
          // biome-ignore lint/a11y/noAutofocus: the form was asked for to type into it.
          autoFocus
          onChange={(event) => setDraft({ ...draft, text: event.target.value })}
        />
      </label>
      <output className={characters > CHARACTERS_MAX ? "state serious" : "faint"}>
        {count(characters)} of {count(CHARACTERS_MAX)} characters
      </output>
      <button
        type="submit"
        aria-disabled={!isSendable || posting.isPending}
        title={isSendable ? undefined : `An event has 1 to ${count(CHARACTERS_MAX)} characters.`}
      >
        {posting.isPending ? "Posting…" : "Post"}
      </button>
      <Act
        text="Discard"
        refusal={posting.isPending ? "It is on its way." : null}
        onAct={() => setDraft(null)}
      />
      {posting.isError ? <Failure error={posting.error} /> : null}
    </form>
  );
}

function blank(): NewEvent {
  return { id: newActId(), severity: "info", text: "" };
}

/** Another version of this page may have written it. */
function isEvent(kept: Partial<NewEvent> | null): kept is NewEvent {
  return (
    typeof kept?.id === "string" &&
    typeof kept.text === "string" &&
    SEVERITIES.some((name) => name === kept.severity)
  );
}
