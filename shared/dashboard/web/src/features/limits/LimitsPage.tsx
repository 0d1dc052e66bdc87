// Fetches the limits of a mission, keeps what is changed of them until it is saved, and tries it on what was received.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { ProblemError } from "../../api/client";
import { limitsQuery, putLimits, tryLimits } from "../../api/limits";
import { parametersQuery } from "../../api/queries";
import { count } from "../../format/quantity";
import { parseTime } from "../../format/time";
import { useLoggedIn, useRefusal } from "../../session/access";
import { useDraft } from "../../session/draft";
import { Failure, Loading } from "../../shell/Notice";
import { SearchField } from "../../shell/SearchField";
import { matching } from "../parameters/search";
import { Conflict } from "./Conflict";
import { changeOf, emptyDraft, type LimitsDraft, type ParameterDraft, problemsOf } from "./draft";
import { LimitsEditor } from "./LimitsEditor";
import { LimitsTable } from "./LimitsTable";
import { Compared, LimitsVersions } from "./LimitsVersions";
import "../alarms/alarms.css";
import "./limits.css";
import { SaveBar } from "./SaveBar";
import type { LimitsSearch } from "./search";
import { TrialTable } from "./TrialTable";

export function LimitsPage() {
  const { mission } = useParams({ from: "/m/$mission/limits" });
  return <MissionLimits key={mission} mission={mission} />;
}

function MissionLimits({ mission }: { mission: string }) {
  const search = useSearch({ from: "/m/$mission/limits" });
  const navigate = useNavigate();
  const client = useQueryClient();
  const { session } = useLoggedIn();
  const mayNot = useRefusal("operate");
  const limits = useQuery(limitsQuery(mission));
  const parameters = useQuery(parametersQuery(mission));
  const [draft, setDraft] = useDraft<LimitsDraft>(`limits ${mission}`);
  const saving = useMutation({
    mutationFn: (what: LimitsDraft) =>
      putLimits(mission, {
        based_on: what.basedOn,
        note: what.note,
        // As it was understood here, where the zone may be left out.
        ...(what.effectiveFrom.trim() === ""
          ? {}
          : { effective_from: new Date(parseTime(what.effectiveFrom.trim())).toISOString() }),
        content: { kind: "changes", changes: changesOf(what) },
      }),
    onSuccess: () => setDraft(null),
    onSettled: () => client.invalidateQueries({ queryKey: ["limits", mission] }),
  });
  const trial = useMutation({
    mutationFn: async ({ of, days }: { of: LimitsDraft; days: number }) => ({
      answer: await tryLimits(mission, changesOf(of), days),
      of: JSON.stringify(of.changes),
    }),
  });

  const known = useMemo(
    () => new Map((limits.data?.limits ?? []).map((one) => [one.parameter, one])),
    [limits.data],
  );
  const found = useMemo(
    () =>
      matching(parameters.data ?? [], search.q ?? "").filter(
        ({ name }) => search.limited !== true || known.has(name),
      ),
    [parameters.data, search.q, search.limited, known],
  );
  const change = (next: Partial<LimitsSearch>, replace = false) =>
    void navigate({ to: ".", search: (old) => ({ ...old, ...next }), replace });
  if (limits.data === undefined || parameters.data === undefined) {
    if (limits.isPending || parameters.isPending) return <Loading what="limits" />;
    const retry = () => {
      for (const question of [limits, parameters]) if (question.isError) void question.refetch();
    };
    return <Failure error={limits.error ?? parameters.error} onRetry={retry} />;
  }

  const { versions } = limits.data;
  const newest = limits.data.newest ?? null;
  const opened = parameters.data.find(({ name }) => name === search.parameter);
  const refusal =
    session.server.kind === "edge" ? "A station's limits come from the hub: change them there." : mayNot;
  const changeParameter = (name: string, to: ParameterDraft | null) => {
    const { [name]: _, ...others } = draft?.changes ?? {};
    const changes = to === null ? others : { ...others, [name]: to };
    const isEmpty = Object.keys(changes).length === 0;
    setDraft(isEmpty ? null : { ...(draft ?? emptyDraft(newest)), changes });
  };
  const isOvertaken = draft !== null && draft.basedOn !== newest;
  const isConflict =
    saving.error instanceof ProblemError && saving.error.problem.code === "STO-LIMITS-CONFLICT";
  const compared =
    search.from === undefined || search.to === undefined ? null : ([search.from, search.to] as const);
  return (
    <>
      <header className="page-head">
        <h1>Limits</h1>
        <span className="faint">
          {limits.data.in_force ? `version ${limits.data.in_force} in force` : "the dictionary's alone"}
          {limits.isError ? ", last known" : ""}
        </span>
        <SearchField
          label="Search parameters"
          value={search.q ?? ""}
          placeholder="Search by path, description or unit"
          onSearch={(words) => change({ q: words || undefined }, true)}
        />
        <button
          type="button"
          aria-pressed={search.limited === true}
          onClick={() => change({ limited: search.limited ? undefined : true }, true)}
        >
          With limits only
        </button>
        <output className="faint">
          {count(found.length)} of {count(parameters.data.length)}
        </output>
      </header>
      {found.length === 0 ? (
        <p className="empty">No parameter matches.</p>
      ) : (
        <LimitsTable
          mission={mission}
          parameters={found}
          limitsOf={(name) => known.get(name)}
          isChanged={(name) => draft?.changes[name] !== undefined}
          opened={search.parameter ?? null}
          onOpen={(name) => change({ parameter: name === search.parameter ? undefined : name })}
        />
      )}
      {search.parameter === undefined || opened !== undefined ? null : (
        <p className="notice caution">
          The dictionary in force has no parameter <bdi>{search.parameter}</bdi>.
        </p>
      )}
      {opened === undefined ? null : (
        <LimitsEditor
          mission={mission}
          parameter={opened}
          limits={known.get(opened.name)}
          draft={draft?.changes[opened.name] ?? null}
          refusal={refusal}
          onDraft={(to) => changeParameter(opened.name, to)}
          onClose={() => change({ parameter: undefined })}
        />
      )}
      {draft === null ? null : (
        <>
          {isOvertaken ? (
            <Conflict
              newest={newest}
              draft={draft}
              limitsOf={(name) => known.get(name)}
              onGoOn={() => {
                saving.reset();
                setDraft({ ...draft, basedOn: newest });
              }}
            />
          ) : null}
          {saving.isError && !(isConflict && isOvertaken) ? <Failure error={saving.error} /> : null}
          <SaveBar
            draft={draft}
            refusal={refusal ?? wrongIn(draft)}
            saveRefusal={saveRefusal(draft, isOvertaken, saving.isPending)}
            trying={trial.isPending}
            onDraft={(next) => setDraft({ ...draft, ...next })}
            onTry={(days) => trial.mutate({ of: draft, days })}
            onSave={() => saving.mutate(draft)}
            onDiscard={() => setDraft(null)}
          />
          {trial.isError ? <Failure error={trial.error} /> : null}
          {trial.isPending ? <Loading what="the trial" /> : null}
          {trial.data === undefined ? null : (
            <TrialTable trial={trial.data.answer} isOld={trial.data.of !== JSON.stringify(draft.changes)} />
          )}
        </>
      )}
      <LimitsVersions versions={versions} inForce={limits.data.in_force ?? null} compared={compared} />
      {compared === null ? null : <Compared mission={mission} versions={compared} />}
    </>
  );
}

function changesOf({ changes }: LimitsDraft) {
  return Object.entries(changes).map(([name, draft]) => changeOf(name, draft));
}

/** Why it can be neither tried nor saved. */
function wrongIn({ changes }: LimitsDraft): string | null {
  const wrong = Object.entries(changes).find(([, draft]) => problemsOf(draft).length > 0);
  return wrong === undefined ? null : `${wrong[0]}: ${problemsOf(wrong[1])[0]}`;
}

function saveRefusal(draft: LimitsDraft, isOvertaken: boolean, isSaving: boolean): string | null {
  if (isSaving) return "It is on its way.";
  if (isOvertaken) return "Somebody else saved limits since: look at them, then go on.";
  if (draft.note.trim() === "") return "Say why in a few words.";
  const from = draft.effectiveFrom.trim();
  return from !== "" && Number.isNaN(parseTime(from))
    ? "From when: a time as 2026-11-23T18:00:00Z, or nothing for now."
    : null;
}
