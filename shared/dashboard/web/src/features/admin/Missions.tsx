// The missions of the hub and what is in force of each. Which there are stands in the hub's configuration.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { hubQuery } from "../../api/admin";
import { count } from "../../format/quantity";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { SectionProps } from "./AdminPage";
import { Heads, Listing } from "./Listing";

const TITLES = [
  "Mission",
  "Title",
  "Parameters",
  "Dictionary",
  "Limits",
  "Alarm rules",
  "Detection rules",
  "Models",
  "Nodes",
];

export function Missions({ refusal }: SectionProps) {
  const answer = useQuery({ ...hubQuery, enabled: refusal === null });
  return (
    <Listing
      title="Missions"
      text={
        <>
          Missions are named in the hub's configuration, <code>hub.toml</code>.
        </>
      }
      refusal={refusal}
      answer={answer}
      isEmpty={({ missions }) => missions.length === 0}
      empty="The hub is configured for no mission."
    >
      {({ missions }) => (
        <table className="grid">
          <caption>Versions in force</caption>
          <Heads titles={TITLES} />
          <tbody>
            {missions.map((mission) => (
              <tr key={mission.name}>
                <th scope="row">
                  <Link to="/m/$mission/parameters" params={{ mission: mission.name }}>
                    <bdi>{mission.name}</bdi>
                  </Link>
                </th>
                <td>
                  <bdi>{mission.title}</bdi>
                </td>
                <td>{count(mission.parameter_count)}</td>
                <td title={mission.dictionary_problem ?? undefined}>
                  <Link
                    to="/admin/$section"
                    params={{ section: "dictionaries" }}
                    search={{ mission: mission.name }}
                  >
                    version {mission.dictionary_version}
                  </Link>
                  {mission.dictionary_problem ? (
                    <>
                      {" "}
                      <StatusSymbol status="caution" /> not the configured one
                    </>
                  ) : null}
                </td>
                <td>
                  <Link to="/m/$mission/limits" params={{ mission: mission.name }}>
                    {mission.limits_version ? `version ${mission.limits_version}` : "the dictionary's"}
                  </Link>
                </td>
                <td>{mission.alarm_rules_version ?? "none"}</td>
                <td>{mission.detection_rules_version ?? "none"}</td>
                <td>{count(mission.models)}</td>
                <td>
                  {count(mission.nodes)} with a link, {count(mission.nodes_allowed)} may send
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Listing>
  );
}
