// Who is logged in, or has a code to log in with.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { endSessions, makeLoginCode, type Person, peopleQuery, type Role } from "../../api/admin";
import { dateAndTime, parseTime } from "../../format/time";
import { StatusSymbol } from "../../shell/StatusSymbol";
import { ActButton } from "./ActButton";
import type { SectionProps } from "./AdminPage";
import { ConfirmDialog } from "./ConfirmDialog";
import { FormDialog } from "./FormDialog";
import { Heads, Listing } from "./Listing";
import { MissionsField, missionsText } from "./MissionsField";
import { Moment } from "./Moment";
import { RoleField } from "./RoleField";
import { SecretDialog } from "./SecretDialog";
import { type Making, useSecret } from "./useSecret";

export function People({ refusal }: SectionProps) {
  const answer = useQuery({ ...peopleQuery, enabled: refusal === null });
  const [isAsking, setAsking] = useState(false);
  const [ending, setEnding] = useState<Person | null>(null);
  const making = useSecret(makeLoginCode, peopleQuery.queryKey);
  const close = () => {
    setAsking(false);
    making.forget();
  };
  return (
    <>
      <Listing
        title="People"
        text="Somebody logs in with a one-time code; there are no passwords."
        make={{ text: "New login code", onMake: () => setAsking(true) }}
        refusal={refusal}
        answer={answer}
        isEmpty={({ people }) => people.length === 0}
        empty="Nobody is logged in, and no code waits."
      >
        {({ people, more }) => (
          <table className="grid">
            <caption>Login sessions and unused codes{more ? ", the newest 1,000" : ""}</caption>
            <Heads titles={["Name", "What", "Role", "Missions", "Since", "Last used", "Until", "End"]} />
            {people.map((person) => (
              <PersonRows
                key={person.name}
                person={person}
                refusal={refusal}
                onEnd={() => setEnding(person)}
              />
            ))}
          </table>
        )}
      </Listing>
      {isAsking && making.made === null ? <NewCode making={making} onClose={close} /> : null}
      {making.made === null ? null : (
        <SecretDialog
          title={`Code for ${making.made.name}`}
          text={`It opens one login session, until ${dateAndTime(parseTime(making.made.until))}.`}
          secret={making.made.code}
          usage="the login page"
          onClose={close}
        />
      )}
      {ending === null ? null : (
        <ConfirmDialog
          title="End the sessions"
          text={`${ending.name} is logged out everywhere, and unused codes are void.`}
          submit="End them"
          act={() => endSessions(ending.name)}
          list={peopleQuery.queryKey}
          onClose={() => setEnding(null)}
        />
      )}
    </>
  );
}

interface RowsProps {
  person: Person;
  refusal: string | null;
  onEnd: () => void;
}

function PersonRows({ person, refusal, onEnd }: RowsProps) {
  const entries = [
    ...person.sessions.map((session) => ({ ...session, what: "logged in" })),
    ...person.codes.map((code) => ({ ...code, what: "unused code", since: null, last_used: null })),
  ];
  return (
    <tbody>
      {entries.map((entry, index) => (
        <tr key={`${entry.what} ${entry.until} ${entry.since}`}>
          {index === 0 ? (
            <th scope="rowgroup" rowSpan={entries.length}>
              <bdi>{person.name}</bdi>
            </th>
          ) : null}
          <td>
            <StatusSymbol status={entry.what === "logged in" ? "normal" : "standby"} /> {entry.what}
          </td>
          <td>{entry.role}</td>
          <td>{missionsText(entry.missions)}</td>
          <td>
            <Moment at={entry.since} absent="" />
          </td>
          <td>
            <Moment at={entry.last_used} absent="" />
          </td>
          <td>
            <Moment at={entry.until} />
          </td>
          {index === 0 ? (
            <td rowSpan={entries.length}>
              <ActButton
                text="End"
                about={`the sessions of ${person.name}`}
                refusal={refusal}
                onAct={onEnd}
              />
            </td>
          ) : null}
        </tr>
      ))}
    </tbody>
  );
}

interface NewProps {
  making: Making<Parameters<typeof makeLoginCode>[0], unknown>;
  onClose: () => void;
}

function NewCode({ making, onClose }: NewProps) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [missions, setMissions] = useState<string[] | null>(null);
  const length = [...name.trim()].length;
  const refusal =
    length < 1 || length > 64
      ? "The name has 1 to 64 characters."
      : missions?.length === 0
        ? "Choose at least one mission, or all."
        : null;
  return (
    <FormDialog
      title="New login code"
      submit="Make the code"
      refusal={refusal}
      busy={making.busy}
      error={making.error}
      onSubmit={() => making.make({ name: name.trim(), role, missions })}
      onClose={onClose}
    >
      <label>
        Whose it is
        <input value={name} autoComplete="off" onChange={(event) => setName(event.target.value)} />
      </label>
      <RoleField value={role} onChange={setRole} />
      <MissionsField legend="They know of" all="all missions" value={missions} onChange={setMissions} />
    </FormDialog>
  );
}
