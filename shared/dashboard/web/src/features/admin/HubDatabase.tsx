// How the hub's database is.
import type { HubStanding } from "../../api/admin";
import { bytes, count } from "../../format/quantity";
import { type Status, StatusSymbol } from "../../shell/StatusSymbol";
import { Fact } from "./Fact";
import { Heads } from "./Listing";
import { Moment } from "./Moment";

type Database = NonNullable<HubStanding["database"]>;

export function HubDatabase({ database }: { database: Database | null }) {
  if (database === null)
    return (
      <p>
        <StatusSymbol status="critical" /> The database does not answer.
      </p>
    );
  const sums = checkSums(database);
  return (
    <>
      <dl className="facts">
        <Fact name="Database">
          PostgreSQL {database.version}, {database.is_private ? "run by the hub itself" : "one of yours"}
          {database.is_standby ? ", a standby" : ""}
        </Fact>
        <Fact name="Size">{bytes(database.bytes)}</Fact>
        <Fact name="First batch">
          <Moment at={database.oldest} absent="none" />
        </Fact>
        <Fact name="Last batch">
          <Moment at={database.newest} absent="none" />
        </Fact>
        <Fact name="Check sums">
          <StatusSymbol status={sums.status} /> {sums.text}
        </Fact>
        {database.unprotected.length === 0 ? null : (
          <Fact name="Unprotected">
            <StatusSymbol status="serious" /> rows of {database.unprotected.join(", ")} are not kept apart by
            mission
          </Fact>
        )}
      </dl>
      <table className="grid">
        <caption>Tables, the largest first</caption>
        <Heads titles={["Table", "Partitions", "Size with indexes"]} />
        <tbody>
          {database.tables.map((table) => (
            <tr key={table.name}>
              <th scope="row">{table.name}</th>
              <td>{count(table.partitions)}</td>
              <td title={`${count(table.bytes)} bytes`}>{bytes(table.bytes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {database.replicas.length === 0 ? null : (
        <table className="grid">
          <caption>Who replicates it</caption>
          <Heads titles={["Name", "State", "Behind"]} />
          <tbody>
            {database.replicas.map((replica) => (
              <tr key={replica.name}>
                <th scope="row">
                  <bdi>{replica.name}</bdi>
                </th>
                <td>
                  <StatusSymbol status={replica.state === "streaming" ? "normal" : "caution"} />{" "}
                  {replica.state ?? "not told"}
                </td>
                <td>
                  {replica.behind_bytes === null || replica.behind_bytes === undefined
                    ? "not told"
                    : bytes(replica.behind_bytes)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function checkSums(database: Database): { status: Status; text: string } {
  if (!database.has_checksums) return { status: "caution", text: "pages carry none" };
  const failures = database.checksum_failures ?? 0;
  if (failures > 0) return { status: "critical", text: `${count(failures)} pages did not fit theirs` };
  return { status: "normal", text: "all pages read so far fit theirs" };
}
