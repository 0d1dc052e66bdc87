// Fetches the document of a mission's rules, keeps what is typed of it, checks it and saves it as a new version.
import { notifyManager, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useRef } from "react";
import { putRules, type RulesKind, rulesDocumentQuery } from "../../api/rules";
import { useLoggedIn, useRefusal } from "../../session/access";
import { useDraft } from "../../session/draft";
import { Failure, Loading } from "../../shell/Notice";
import type { RulesDocument, RulesProblem, RulesVersion } from "../../types";
import { Overtaken } from "./Overtaken";
import { type GoTo, type RulesDraft, RulesEditor, SAVING } from "./RulesEditor";

/** What is edited, for what stands beside the text. */
export interface Edited<C> {
  /** As it is typed. */
  text: string;
  /** As the newest version has it. */
  saved: string;
  /** Why nothing can be changed; `null` when it can. */
  refusal: string | null;
  /** What the server said of the text as it is typed; `null` when it was not asked. */
  checked: C | null;
  onText: (text: string) => void;
  goTo: GoTo;
}

interface Props<C> {
  mission: string;
  kind: RulesKind;
  label: string;
  newest: RulesVersion | null;
  check: (text: string) => Promise<C>;
  beside: (edited: Edited<C>) => ReactNode;
}

/** What was saved is in force by then. */
const IN_FORCE_AFTER_MS = 2_000;
const DRAFTS: Record<RulesKind, string> = { "alarm-rules": "rules", "detection-rules": "detection rules" };

export function EditedRules<C extends { problems: readonly RulesProblem[] }>(props: Props<C>) {
  const { mission, kind, label, newest, check, beside } = props;
  const client = useQueryClient();
  const refusal = useRulesRefusal();
  const [draft, setDraft] = useDraft<RulesDraft>(`${DRAFTS[kind]} ${mission}`);
  const wanted = newest?.number ?? null;
  const document = useQuery({
    ...rulesDocumentQuery(mission, kind, wanted ?? 0),
    enabled: wanted !== null,
  });
  // While somebody else's version is read, or cannot be, the editor stays with what was typed into it and its forms.
  const last = useRef<RulesDocument | null | undefined>(undefined);
  if (wanted === null || document.data !== undefined) last.current = document.data ?? null;
  const current = last.current;
  // Of the text that is shown: the list may be ahead of it.
  const number = current?.version.number ?? null;
  const begun = draft?.basedOn ?? null;
  const before = useQuery({
    ...rulesDocumentQuery(mission, kind, begun ?? 0),
    enabled: begun !== null && begun !== number,
  });
  const readAgain = () => client.invalidateQueries({ queryKey: ["rules", mission, kind] });
  const saving = useMutation({
    mutationFn: ({ basedOn, ...rules }: RulesDraft) =>
      putRules(mission, kind, { based_on: basedOn, ...rules }),
    // The draft stands until what was saved can stand in its place.
    onSuccess: async (version) => {
      await client.prefetchQuery(rulesDocumentQuery(mission, kind, version.number));
      await readAgain();
      // Behind the notice of what was read, or the text of before would flash up.
      notifyManager.schedule(() => setDraft(null));
      setTimeout(readAgain, IN_FORCE_AFTER_MS);
    },
    onError: () => readAgain(),
  });
  const checking = useMutation({
    mutationFn: async (text: string) => ({ text, answer: await check(text) }),
  });
  const failure = document.isError ? (
    <Failure error={document.error} onRetry={() => void document.refetch()} />
  ) : null;
  if (current === undefined) return failure ?? <Loading what="the document" />;
  const saved = current?.text ?? "";
  const text = draft?.text ?? saved;
  const checked = checking.data ?? null;
  const base: RulesDraft = draft ?? { text: saved, reason: "", basedOn: number };
  const version = current?.version ?? null;
  return (
    <>
      {failure}
      <RulesEditor
        label={label}
        text={saved}
        newest={version}
        draft={draft}
        checked={checked === null ? null : { text: checked.text, problems: checked.answer.problems }}
        refusal={refusal}
        checking={checking.isPending}
        saving={saving.isPending}
        error={saving.error ?? checking.error}
        onDraft={setDraft}
        onCheck={(what) => checking.mutate(what)}
        onSave={(what) => saving.mutate(what)}
        overtaken={
          <Overtaken
            newest={version}
            begun={begun === null ? "" : (before.data?.text ?? null)}
            failure={
              before.isError ? <Failure error={before.error} onRetry={() => void before.refetch()} /> : null
            }
            text={saved}
            draft={text}
            onGoOn={() => {
              saving.reset();
              setDraft({ ...base, basedOn: number });
            }}
          />
        }
        beside={(goTo) =>
          beside({
            text,
            saved,
            refusal: refusal ?? (saving.isPending ? SAVING : null),
            checked: draft !== null && checked?.text === draft.text ? checked.answer : null,
            onText: (next) => setDraft({ ...base, text: next }),
            goTo,
          })
        }
      />
    </>
  );
}

/** Why rules cannot be changed here; `null` when they can. */
export function useRulesRefusal(): string | null {
  const { session } = useLoggedIn();
  const mayNot = useRefusal("operate");
  return session.server.kind === "edge" ? "A station's rules come from the hub: change them there." : mayNot;
}
