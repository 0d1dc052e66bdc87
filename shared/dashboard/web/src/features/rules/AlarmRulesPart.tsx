// A mission's alarm rules: what is in force, the text, who is told, all versions.
import { useMutation, useQuery } from "@tanstack/react-query";
import { useDeferredValue, useMemo } from "react";
import { sendTest } from "../../api/alarms";
import { alarmRulesQuery, checkAlarmRules } from "../../api/rules";
import { Failure, Loading } from "../../shell/Notice";
import { type Edited, EditedRules } from "./EditedRules";
import { EscalationPanel } from "./EscalationPanel";
import { readEscalation } from "./escalation";
import { type Compared, RulesHistory } from "./RulesHistory";
import { TestAnswer } from "./TestAnswer";

export function AlarmRulesPart({ mission, compared }: { mission: string; compared: Compared }) {
  const rules = useQuery(alarmRulesQuery(mission));
  const testing = useMutation({ mutationFn: (contact: string) => sendTest(mission, contact) });
  if (rules.data === undefined)
    return rules.isPending ? (
      <Loading what="rules" />
    ) : (
      <Failure error={rules.error} onRetry={() => void rules.refetch()} />
    );
  const { in_force, versions } = rules.data;
  const age = rules.isError ? ", last known" : "";
  return (
    <>
      <p className="faint">
        {in_force.rules.length === 0
          ? `No rule is in force${age}: detections stand as they are.`
          : `In force${age}, in this order: ${in_force.rules.join(", ")}.`}
      </p>
      <EditedRules
        mission={mission}
        kind="alarm-rules"
        label="Rules as TOML"
        newest={versions[0] ?? null}
        check={(text) => checkAlarmRules(mission, text)}
        beside={(edited) => (
          <WhoIsTold
            edited={edited}
            isTesting={testing.isPending}
            onTest={(contact) => testing.mutate(contact)}
          />
        )}
      />
      <TestAnswer answer={testing.data} error={testing.error} />
      <RulesHistory mission={mission} kind="alarm-rules" versions={versions} compared={compared} />
    </>
  );
}

interface WhoIsToldProps {
  edited: Edited<unknown>;
  isTesting: boolean;
  onTest: (contact: string) => void;
}

function WhoIsTold({ edited: { text, saved, refusal, onText, goTo }, isTesting, onTest }: WhoIsToldProps) {
  const read = useDeferredValue(text);
  const escalation = useMemo(() => readEscalation(read), [read]);
  const inForce = useMemo(
    () => new Set(readEscalation(saved).contacts.map((contact) => contact.name)),
    [saved],
  );
  return (
    <EscalationPanel
      text={text}
      escalation={escalation}
      refusal={refusal}
      inForce={inForce}
      testRefusal={refusal ?? (isTesting ? "The last test is on its way." : null)}
      onText={onText}
      onGo={(line) => goTo(line)}
      onTest={onTest}
    />
  );
}
