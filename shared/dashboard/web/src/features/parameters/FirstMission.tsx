// Where missions lead before one is chosen: to the first one's parameters, or to the reason why there is none.
import { useQuery } from "@tanstack/react-query";
import { Navigate } from "@tanstack/react-router";
import { missionsQuery } from "../../api/queries";
import { Failure, Loading } from "../../shell/Notice";

export function FirstMission() {
  const missions = useQuery(missionsQuery);
  if (missions.data === undefined)
    return missions.isError ? (
      <Failure error={missions.error} onRetry={() => void missions.refetch()} />
    ) : (
      <Loading what="missions" />
    );
  const first = missions.data[0];
  if (first === undefined)
    return (
      <p className="empty">
        No mission is configured, or none is shown to you. Missions are set in the server's configuration.
      </p>
    );
  return <Navigate to="/m/$mission/parameters" params={{ mission: first.name }} replace />;
}
