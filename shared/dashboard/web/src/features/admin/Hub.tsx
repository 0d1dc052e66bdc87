// How the hub is: who leads, its database, whom it trusts, where nodes find it.
import { useQuery } from "@tanstack/react-query";
import { type HubStanding, hubQuery } from "../../api/admin";
import { count } from "../../format/quantity";
import { dateAndTime, parseTime } from "../../format/time";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { SectionProps } from "./AdminPage";
import { Fact } from "./Fact";
import { HubDatabase } from "./HubDatabase";
import { Heads, Listing } from "./Listing";
import { Moment } from "./Moment";

export function Hub({ refusal }: SectionProps) {
  const answer = useQuery({ ...hubQuery, enabled: refusal === null });
  return (
    <Listing
      title="Hub"
      text="As the hub says it of itself, every 10 seconds."
      refusal={refusal}
      answer={answer}
      isEmpty={() => false}
      empty=""
    >
      {(hub) => (
        <div className="hub">
          <dl className="facts">
            <Fact name="Told at">{dateAndTime(parseTime(hub.at))}</Fact>
            <Fact name="Software">{hub.version}</Fact>
            <Fact name="Runs since">
              <Moment at={hub.started_at} />
            </Fact>
            <Fact name="Role">
              {hub.role}
              {hub.leader ? (
                <>
                  ; <bdi>{hub.leader}</bdi> leads
                </>
              ) : null}
            </Fact>
            <Fact name="Sessions of nodes">{count(hub.sessions)}</Fact>
          </dl>
          <Replicas hubs={hub.hubs} />
          <HubDatabase database={hub.database ?? null} />
          <Trust trust={hub.trust} />
          <Endpoints endpoints={hub.endpoints} />
        </div>
      )}
    </Listing>
  );
}

function Replicas({ hubs }: Pick<HubStanding, "hubs">) {
  return (
    <table className="grid">
      <caption>Hubs connected to the database</caption>
      <Heads titles={["Hub", "Role", "Connects from", "Since"]} />
      <tbody>
        {hubs.map((hub) => (
          <tr key={hub.id}>
            <th scope="row">
              <code>{hub.id}</code> {hub.is_this ? "(this one)" : ""}
            </th>
            <td>
              <StatusSymbol status={hub.leads ? "normal" : "standby"} /> {hub.leads ? "leads" : "follows"}
            </td>
            <td>{hub.address ?? "the machine itself"}</td>
            <td>
              <Moment at={hub.since} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Trust({ trust }: Pick<HubStanding, "trust">) {
  return (
    <dl className="facts">
      <Fact name="Trust list">
        {trust.number ? (
          <>
            number {trust.number}, made <Moment at={trust.made_at} />
          </>
        ) : (
          "none: only the hub's own authority is trusted"
        )}
      </Fact>
      {trust.problem ? (
        <Fact name="Problem">
          <StatusSymbol status="serious" /> <bdi>{trust.problem}</bdi>
        </Fact>
      ) : null}
      {trust.authorities.map((id) => (
        <Fact key={id} name={id === trust.own ? "Own authority" : "Authority"}>
          <code>{id}</code>
        </Fact>
      ))}
    </dl>
  );
}

function Endpoints({ endpoints }: Pick<HubStanding, "endpoints">) {
  return (
    <dl className="facts">
      <Fact name="Endpoints">
        {endpoints.number ? (
          <>
            list number {endpoints.number}, made <Moment at={endpoints.made_at} />
          </>
        ) : (
          "no list: nodes use the addresses of their tokens"
        )}
      </Fact>
      {endpoints.hubs.map((hub) => (
        <Fact key={`${hub.name} ${hub.address}`} name={hub.name}>
          <code>{hub.address}</code>
        </Fact>
      ))}
      <Fact name="New tokens say">
        <code>{endpoints.advertised.join(", ") || "nothing"}</code>
      </Fact>
    </dl>
  );
}
