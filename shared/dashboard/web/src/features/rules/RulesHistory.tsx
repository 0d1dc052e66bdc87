// All versions of a rules document, and what changed between two of them.
import { useQuery } from "@tanstack/react-query";
import { type RulesKind, rulesDocumentQuery } from "../../api/rules";
import { Failure, Loading } from "../../shell/Notice";
import type { RulesVersion } from "../../types";
import { DiffView } from "./DiffView";
import { RulesVersions } from "./RulesVersions";

/** The two versions that are compared; `null` when none are. */
export type Compared = readonly [number, number] | null;

interface Props {
  mission: string;
  kind: RulesKind;
  versions: readonly RulesVersion[];
  compared: Compared;
}

export function RulesHistory({ mission, kind, versions, compared }: Props) {
  return (
    <>
      <RulesVersions versions={versions} compared={compared} />
      {compared === null ? null : <Difference mission={mission} kind={kind} versions={compared} />}
    </>
  );
}

interface DifferenceProps {
  mission: string;
  kind: RulesKind;
  versions: readonly [number, number];
}

function Difference({ mission, kind, versions }: DifferenceProps) {
  const before = useQuery(rulesDocumentQuery(mission, kind, versions[0]));
  const after = useQuery(rulesDocumentQuery(mission, kind, versions[1]));
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
