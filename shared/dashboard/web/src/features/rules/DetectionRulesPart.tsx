// A mission's detection rules: what is in force, the text and what it would say, all versions, trained models.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { parametersQuery } from "../../api/queries";
import { checkDetectionRules, detectionRulesQuery, modelsQuery } from "../../api/rules";
import { Failure, Loading } from "../../shell/Notice";
import type { DetectionRule } from "../../types";
import { DetectionTable } from "./DetectionTable";
import { watched } from "./detection";
import { EditedRules } from "./EditedRules";
import { Models } from "./Models";
import { type Compared, RulesHistory } from "./RulesHistory";
import { WatchForm } from "./WatchForm";

export function DetectionRulesPart({ mission, compared }: { mission: string; compared: Compared }) {
  const rules = useQuery(detectionRulesQuery(mission));
  if (rules.data === undefined)
    return rules.isPending ? (
      <Loading what="rules" />
    ) : (
      <Failure error={rules.error} onRetry={() => void rules.refetch()} />
    );
  const { in_force, versions } = rules.data;
  return (
    <>
      <EditedRules
        mission={mission}
        kind="detection-rules"
        label="Detection rules as TOML"
        newest={versions[0] ?? null}
        check={(text) => checkDetectionRules(mission, text)}
        beside={({ text, saved, refusal, checked, onText, goTo }) => (
          <>
            <WatchForm text={text} refusal={refusal} onText={onText} />
            <div className="detection-tables">
              {checked === null ? null : (
                <Rules
                  mission={mission}
                  label="What the text would watch"
                  rules={checked.rules}
                  onGo={goTo}
                />
              )}
              <Rules
                mission={mission}
                label={`Detection rules in force${rules.isError ? ", last known" : ""}`}
                rules={in_force.rules}
                onGo={text === saved ? goTo : null}
              />
            </div>
          </>
        )}
      />
      <RulesHistory mission={mission} kind="detection-rules" versions={versions} compared={compared} />
      <ModelsInForce mission={mission} />
    </>
  );
}

interface RulesProps {
  mission: string;
  label: string;
  rules: readonly DetectionRule[];
  onGo: ((line: number) => void) | null;
}

function Rules({ mission, label, rules, onGo }: RulesProps) {
  const parameters = useQuery(parametersQuery(mission));
  const counts = useMemo(
    () => (parameters.data === undefined ? null : watched(rules, parameters.data)),
    [rules, parameters.data],
  );
  return <DetectionTable label={label} rules={rules} watched={counts} onGo={onGo} />;
}

function ModelsInForce({ mission }: { mission: string }) {
  const models = useQuery(modelsQuery(mission));
  if (models.isError) return <Failure error={models.error} onRetry={() => void models.refetch()} />;
  return models.data === undefined ? null : <Models models={models.data} />;
}
