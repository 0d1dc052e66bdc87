// Tokens of programs that ask the API.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiToken, apiTokensQuery, makeApiToken, type Role, revokeApiToken } from "../../api/admin";
import { dateAndTime, parseTime } from "../../format/time";
import { type Status, StatusSymbol } from "../../shell/StatusSymbol";
import { ActButton } from "./ActButton";
import type { SectionProps } from "./AdminPage";
import { ConfirmDialog } from "./ConfirmDialog";
import { FormDialog } from "./FormDialog";
import { Heads, Listing } from "./Listing";
import { MissionsField, missionsText } from "./MissionsField";
import { Moment } from "./Moment";
import { isWhole } from "./NewEnrolment";
import { RoleField } from "./RoleField";
import { SecretDialog } from "./SecretDialog";
import { type Making, useSecret } from "./useSecret";

const STATES: Record<ApiToken["state"], { status: Status; text: string }> = {
  "in-force": { status: "normal", text: "in force" },
  expired: { status: "off", text: "expired" },
  revoked: { status: "invalid", text: "revoked" },
};

const DAYS_MAX = 3_650;

export function ApiTokens({ refusal }: SectionProps) {
  const answer = useQuery({ ...apiTokensQuery, enabled: refusal === null });
  const [isAsking, setAsking] = useState(false);
  const [ending, setEnding] = useState<ApiToken | null>(null);
  const making = useSecret(makeApiToken, apiTokensQuery.queryKey);
  const close = () => {
    setAsking(false);
    making.forget();
  };
  return (
    <>
      <Listing
        title="API tokens"
        text={
          <>
            Programs send them as <code>authorization: Bearer …</code>. What the API answers is in the{" "}
            <a href="/api/docs">API reference</a>.
          </>
        }
        make={{ text: "New API token", onMake: () => setAsking(true) }}
        refusal={refusal}
        answer={answer}
        isEmpty={({ tokens }) => tokens.length === 0}
        empty="No program has a token."
      >
        {({ tokens, more }) => (
          <table className="grid">
            <caption>API tokens{more ? ", the first 1,000" : ""}. Their texts are not kept.</caption>
            <Heads
              titles={["State", "Program", "Role", "Missions", "Made", "By", "Good until", "Revoke it"]}
            />
            <tbody>
              {tokens.map((token) => (
                <tr key={`${token.name} ${token.made_at}`}>
                  <td>
                    <StatusSymbol status={STATES[token.state].status} /> {STATES[token.state].text}
                  </td>
                  <th scope="row">
                    <bdi>{token.name}</bdi>
                  </th>
                  <td>{token.role}</td>
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
                    <ActButton
                      text="Revoke"
                      about={`the token of ${token.name}`}
                      refusal={
                        refusal ??
                        (token.state === "in-force" ? null : `It is ${STATES[token.state].text} already.`)
                      }
                      onAct={() => setEnding(token)}
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Listing>
      {isAsking && making.made === null ? <NewToken making={making} onClose={close} /> : null}
      {making.made === null ? null : (
        <SecretDialog
          title={`Token of ${making.made.token.name}`}
          text={`Whoever has it is ${making.made.token.role} of ${missionsText(making.made.token.missions)}, until ${dateAndTime(parseTime(making.made.token.expires))}.`}
          secret={making.made.text}
          usage="authorization: Bearer …"
          onClose={close}
        />
      )}
      {ending === null ? null : (
        <ConfirmDialog
          title="Revoke the token"
          text={`${ending.name} is then refused, at once.`}
          submit="Revoke"
          act={() => revokeApiToken(ending.name)}
          list={apiTokensQuery.queryKey}
          onClose={() => setEnding(null)}
        />
      )}
    </>
  );
}

interface NewProps {
  making: Making<Parameters<typeof makeApiToken>[0], unknown>;
  onClose: () => void;
}

function NewToken({ making, onClose }: NewProps) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [missions, setMissions] = useState<string[] | null>(null);
  const [days, setDays] = useState("90");
  const refusal = !/^\S{1,64}$/.test(name)
    ? "The program's name has 1 to 64 characters and no spaces."
    : missions?.length === 0
      ? "Choose at least one mission, or all."
      : isWhole(days, DAYS_MAX)
        ? null
        : `It is good for 1 to ${DAYS_MAX} days.`;
  return (
    <FormDialog
      title="New API token"
      submit="Make the token"
      refusal={refusal}
      busy={making.busy}
      error={making.error}
      onSubmit={() => making.make({ name, role, missions, days: Number(days) })}
      onClose={onClose}
    >
      <label>
        Program
        <input value={name} autoComplete="off" onChange={(event) => setName(event.target.value)} />
      </label>
      <RoleField value={role} onChange={setRole} />
      <MissionsField legend="It knows of" all="all missions" value={missions} onChange={setMissions} />
      <label>
        Days it is good for
        <input inputMode="numeric" value={days} onChange={(event) => setDays(event.target.value)} />
      </label>
    </FormDialog>
  );
}
