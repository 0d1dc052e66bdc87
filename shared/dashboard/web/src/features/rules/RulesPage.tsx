// Fetches what decides about a mission's alarms, and saves new versions of it.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { sendTest } from "../../api/alarms";
import { modelsQuery, putRules, rulesDocumentQuery, rulesQuery } from "../../api/rules";
import { useLoggedIn, useRefusal } from "../../session/access";
import { useDraft } from "../../session/draft";
import { Failure, Loading } from "../../shell/Notice";
import { DiffView } from "./DiffView";
import { Models } from "./Models";
import { type RulesDraft, RulesEditor } from "./RulesEditor";
import { RulesVersions } from "./RulesVersions";
import "../alarms/alarms.css";
import "./rules.css";
import { TestAnswer } from "./TestAnswer";

export function RulesPage() {
  const { mission } = useParams({ from: "/m/$mission/rules" });
  const { from, to } = useSearch({ from: "/m/$mission/rules" });
  const rules = useQuery(rulesQuery(mission));
  const compared = from === undefined || to === undefined ? null : ([from, to] as const);
  return (
    <>
      <header className="page-head">
        <h1>Rules</h1>
        <Link to="/m/$mission/deliveries" params={{ mission }}>
          Delivery log
        </Link>
        <Link to="/m/$mission/limits" params={{ mission }}>
          Limits
        </Link>
      </header>
      {rules.isPending ? <Loading what="rules" /> : null}
      {rules.isError && rules.data === undefined ? (
        <Failure error={rules.error} onRetry={() => void rules.refetch()} />
      ) : null}
      {rules.data === undefined ? null : (
        <>
          <p className="faint">
            {rules.data.in_force.rules.length === 0
              ? "No rule is in force: detections stand as they are."
              : `In force, in this order: ${rules.data.in_force.rules.join(", ")}.`}
          </p>
          <Editing key={mission} mission={mission} newest={rules.data.versions[0]?.number ?? null} />
          <RulesVersions versions={rules.data.versions} compared={compared} />
          {compared === null ? null : <Compared mission={mission} versions={compared} />}
        </>
      )}
      <ModelsInForce mission={mission} />
    </>
  );
}

function Editing({ mission, newest }: { mission: string; newest: number | null }) {
  const client = useQueryClient();
  const { session } = useLoggedIn();
  const mayNot = useRefusal("operate");
  const atHub =
    session.server.kind === "edge" ? "A station's rules come from the hub: change them there." : null;
  const [draft, setDraft] = useDraft<RulesDraft>(`rules ${mission}`);
  const document = useQuery({ ...rulesDocumentQuery(mission, newest ?? 0), enabled: newest !== null });
  const saving = useMutation({
    mutationFn: async ({ text, reason, basedOn }: RulesDraft) => {
      // The server takes whatever is newest for the last word: who saved in between is not written over unseen.
      const now = await client.fetchQuery(rulesQuery(mission));
      if ((now.versions[0]?.number ?? 0) !== basedOn) return null;
      return putRules(mission, text, reason);
    },
    onSuccess: (saved) => {
      if (saved !== null) setDraft(null);
      return client.invalidateQueries({ queryKey: ["rules", mission] });
    },
  });
  const testing = useMutation({ mutationFn: (contact: string) => sendTest(mission, contact) });
  if (newest !== null && document.data === undefined)
    return document.isError ? <Failure error={document.error} /> : <Loading what="the document" />;
  return (
    <>
      <RulesEditor
        text={document.data?.text ?? ""}
        newest={newest ?? 0}
        documentVersion={document.data?.version.document_version ?? 0}
        problems={document.data?.version.problems ?? []}
        draft={draft}
        refusal={atHub ?? mayNot}
        testRefusal={atHub ?? mayNot ?? (testing.isPending ? "The last test is on its way." : null)}
        saving={saving.isPending}
        error={saving.error}
        onDraft={setDraft}
        onSave={(what) => saving.mutate(what)}
        onTest={(contact) => testing.mutate(contact)}
      />
      <TestAnswer answer={testing.data} error={testing.error} />
    </>
  );
}

function Compared({ mission, versions }: { mission: string; versions: readonly [number, number] }) {
  const before = useQuery(rulesDocumentQuery(mission, versions[0]));
  const after = useQuery(rulesDocumentQuery(mission, versions[1]));
  if (before.isError || after.isError) return <Failure error={before.error ?? after.error} />;
  if (before.data === undefined || after.data === undefined) return <Loading what="both versions" />;
  return (
    <section className="panel compared">
      <h2>
        From version {versions[0]} to {versions[1]}
      </h2>
      <DiffView
        label={`Changes from version ${versions[0]} to ${versions[1]}`}
        before={before.data.text}
        after={after.data.text}
      />
    </section>
  );
}

function ModelsInForce({ mission }: { mission: string }) {
  const models = useQuery(modelsQuery(mission));
  if (models.isError) return <Failure error={models.error} onRetry={() => void models.refetch()} />;
  return models.data === undefined ? null : <Models models={models.data} />;
}
