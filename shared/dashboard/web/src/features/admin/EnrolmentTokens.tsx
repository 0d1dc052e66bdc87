// Tokens that enrol nodes: each makes one machine a node, once.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import {
  type EnrolmentToken,
  endEnrolmentToken,
  enrolmentTokensQuery,
  makeEnrolmentToken,
} from "../../api/admin";
import { dateAndTime, parseTime } from "../../format/time";
import { type Status, StatusSymbol } from "../../shell/StatusSymbol";
import { ActButton } from "./ActButton";
import type { SectionProps } from "./AdminPage";
import { ConfirmDialog } from "./ConfirmDialog";
import { Heads, Listing } from "./Listing";
import { missionsText } from "./MissionsField";
import { Moment } from "./Moment";
import { NewEnrolment } from "./NewEnrolment";
import { SecretDialog } from "./SecretDialog";
import { useSecret } from "./useSecret";

const STATES: Record<EnrolmentToken["state"], Status> = {
  unused: "standby",
  used: "normal",
  expired: "off",
  ended: "invalid",
};

export function EnrolmentTokens({ refusal }: SectionProps) {
  const answer = useQuery({ ...enrolmentTokensQuery, enabled: refusal === null });
  const [isAsking, setAsking] = useState(false);
  const [ending, setEnding] = useState<EnrolmentToken | null>(null);
  const { made, busy, error, make, forget } = useSecret(makeEnrolmentToken, enrolmentTokensQuery.queryKey);
  const close = () => {
    setAsking(false);
    forget();
  };
  return (
    <>
      <Listing
        title="Enrolment tokens"
        text={
          <>
            A token makes one machine a node, once. The nodes there are stand under{" "}
            <Link to="/nodes">stations</Link>.
          </>
        }
        make={{ text: "New enrolment token", onMake: () => setAsking(true) }}
        refusal={refusal}
        answer={answer}
        isEmpty={({ tokens }) => tokens.length === 0}
        empty="No token was made yet. Make one and use it on a station's node with `edge-node enroll`."
      >
        {({ tokens, more }) => (
          <table className="grid">
            <caption>
              Enrolment tokens{more ? ", the first 1,000" : ""}. Their texts are not kept, so they cannot be
              shown again.
            </caption>
            <Heads
              titles={["State", "Node", "Site", "May send for", "Made", "By", "Good until", "Used", "End it"]}
            />
            <tbody>
              {tokens.map((token) => (
                <TokenRow key={token.id} token={token} refusal={refusal} onEnd={() => setEnding(token)} />
              ))}
            </tbody>
          </table>
        )}
      </Listing>
      {isAsking && made === null ? (
        <NewEnrolment busy={busy} error={error} onMake={make} onClose={close} />
      ) : null}
      {made === null ? null : (
        <SecretDialog
          title={`Token for ${made.token.node}`}
          text={`It makes one machine the node ${made.token.node} at ${made.token.site}, until ${dateAndTime(parseTime(made.token.expires))}.`}
          secret={made.text}
          usage="edge-node enroll"
          onClose={close}
        />
      )}
      {ending === null ? null : (
        <ConfirmDialog
          title="End the token"
          text={`The token for ${ending.node} can then not be used any more.`}
          submit="End it"
          act={() => endEnrolmentToken(ending.id)}
          list={enrolmentTokensQuery.queryKey}
          onClose={() => setEnding(null)}
        />
      )}
    </>
  );
}

interface RowProps {
  token: EnrolmentToken;
  refusal: string | null;
  onEnd: () => void;
}

function TokenRow({ token, refusal, onEnd }: RowProps) {
  return (
    <tr>
      <td>
        <StatusSymbol status={STATES[token.state]} /> {token.state}
      </td>
      <th scope="row">
        {token.state === "used" ? (
          <Link to="/nodes/$node" params={{ node: token.node }}>
            <bdi>{token.node}</bdi>
          </Link>
        ) : (
          <bdi>{token.node}</bdi>
        )}
      </th>
      <td>
        <bdi>{token.site}</bdi>
      </td>
      <td>{missionsText(token.missions)}</td>
      <td>
        <Moment at={token.made_at} />
      </td>
      <td>
        <bdi>{token.made_by ?? "not known"}</bdi>
      </td>
      <td>
        <Moment at={token.expires} />
      </td>
      <td>
        {token.used_at ? (
          <>
            <Moment at={token.used_at} /> by <bdi>{token.used_host ?? "a machine without a name"}</bdi>
          </>
        ) : (
          ""
        )}
      </td>
      <td>
        <ActButton
          text="End"
          about={`the token for ${token.node}`}
          refusal={refusal ?? (token.state === "unused" ? null : `It is ${token.state} already.`)}
          onAct={onEnd}
        />
      </td>
    </tr>
  );
}
