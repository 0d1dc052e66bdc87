// What decides about a mission's alarms: its rules, and trained models.
import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { modelsQuery } from "../../api/rules";
import { Failure } from "../../shell/Notice";
import { AlarmRulesPart } from "./AlarmRulesPart";
import { Models } from "./Models";
import "../alarms/alarms.css";
import "./rules.css";

export function RulesPage() {
  const { mission } = useParams({ from: "/m/$mission/rules" });
  const { from, to } = useSearch({ from: "/m/$mission/rules" });
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
      <AlarmRulesPart key={mission} mission={mission} compared={compared} />
      <ModelsInForce mission={mission} />
    </>
  );
}

function ModelsInForce({ mission }: { mission: string }) {
  const models = useQuery(modelsQuery(mission));
  if (models.isError) return <Failure error={models.error} onRetry={() => void models.refetch()} />;
  return models.data === undefined ? null : <Models models={models.data} />;
}
