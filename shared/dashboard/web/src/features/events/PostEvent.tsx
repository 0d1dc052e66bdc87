// Posts an event to the mission's log. What is typed outlives a login that ends meanwhile.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { ProblemError } from "../../api/client";
import { postEvent } from "../../api/records";
import { count } from "../../format/quantity";
import { useLoggedIn, useRefusal } from "../../session/access";
import { Failure } from "../../shell/Notice";
import type { EventSeverity, NewEvent } from "../../types";
import { newActId } from "../alarms/alarm";
import { SEVERITIES } from "./routes";

const CHARACTERS_MAX = 2_000;

interface Draft extends NewEvent {
  isOpen: boolean;
}

export function PostEvent({ mission }: { mission: string }) {
  const client = useQueryClient();
  const { server } = useLoggedIn().session;
  const mayNot = useRefusal("operate");
  const refusal = server.kind === "edge" ? "Events are posted at the hub; a station keeps none." : mayNot;
  const [draft, setDraft] = useDraft(mission);
  const reason = useId();
  const posting = useMutation({
    mutationFn: () => {
      const { id, severity, text } = draft;
      return postEvent(mission, { id, severity, text });
    },
    // A lost answer is asked for again with the same id, which is the same event.
    retry: (failures, failed) => !(failed instanceof ProblemError) && failures < 2,
    onSuccess: () => {
      setDraft(blank());
      void client.invalidateQueries({ queryKey: ["events", mission] });
    },
  });
  const characters = [...draft.text].length;
  const isSendable = draft.text.trim() !== "" && characters <= CHARACTERS_MAX;

  if (!draft.isOpen)
    return (
      <>
        <button
          type="button"
          aria-disabled={refusal !== null}
          title={refusal ?? undefined}
          aria-describedby={refusal === null ? undefined : reason}
          onClick={() => refusal === null && setDraft({ ...draft, isOpen: true })}
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

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isSendable && !posting.isPending) posting.mutate();
  };
  return (
    <form className="panel post-event" aria-label="Post an event" onSubmit={submit}>
      <label className="field">
        <span className="faint">Severity</span>
        <select
          value={draft.severity}
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
      <button type="button" onClick={() => setDraft(blank())}>
        Discard
      </button>
      {posting.isError ? <Failure error={posting.error} /> : null}
    </form>
  );
}

function blank(): Draft {
  return { id: newActId(), severity: "info", text: "", isOpen: false };
}

function useDraft(mission: string): [Draft, (draft: Draft) => void] {
  const key = `sto-event-draft ${mission}`;
  const [draft, setDraft] = useState<Draft>(() => read(sessionStorage.getItem(key)) ?? blank());
  return [
    draft,
    (changed) => {
      if (changed.isOpen) sessionStorage.setItem(key, JSON.stringify(changed));
      else sessionStorage.removeItem(key);
      setDraft(changed);
    },
  ];
}

function read(kept: string | null): Draft | null {
  if (kept === null) return null;
  const { id, severity, text } = JSON.parse(kept) as Partial<Draft>;
  const known = SEVERITIES.find((name) => name === severity);
  if (typeof id !== "string" || typeof text !== "string" || known === undefined) return null;
  return { id, severity: known, text, isOpen: true };
}
