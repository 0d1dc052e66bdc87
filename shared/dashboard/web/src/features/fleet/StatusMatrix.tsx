// Stations by parts: what the map shows as symbols, as a table of words.
import { Link } from "@tanstack/react-router";
import { duration } from "../../format/time";
import { StatusSymbol } from "../../shell/StatusSymbol";
import { VirtualTable } from "../../table/VirtualTable";
import { type Cell, PART_TITLES, PARTS, type Sort, type StationRow } from "./status";

const SORTED: readonly { name: Sort; title: string; hint: string }[] = [
  { name: "site", title: "Station", hint: "By site and node" },
  { name: "worst", title: "Worst", hint: "The worst of all parts" },
  ...PARTS.map((part) => ({ name: part, title: part, hint: PART_TITLES[part] })),
];

interface Props {
  rows: readonly StationRow[];
  /** Nothing can have been heard since, because the connection is frozen. */
  frozen: boolean;
  sort: Sort;
  onSort: (sort: Sort) => void;
}

export function StatusMatrix({ rows, frozen, sort, onSort }: Props) {
  return (
    <VirtualTable
      label="Status matrix"
      className="matrix first-stays"
      columns={[
        ...SORTED.map(({ name, ...column }) => ({
          ...column,
          name: `m-${name}`,
          sort: sort === name ? ("ascending" as const) : ("none" as const),
          onSort: () => onSort(name),
        })),
        { name: "m-heard", title: "Heard" },
      ]}
      count={rows.length}
      rowKey={(index) => rows[index]?.node.name ?? index}
      rowClass={(index) => (rows[index]?.stale ? "stale" : undefined)}
    >
      {(index) => {
        const row = rows[index];
        return row === undefined ? null : <Cells row={row} frozen={frozen} />;
      }}
    </VirtualTable>
  );
}

function Cells({ row, frozen }: { row: StationRow; frozen: boolean }) {
  const { node, cells, worst, word, stale, hollow, age } = row;
  return (
    <>
      <th scope="row">
        <Link to="/nodes/$node" params={{ node: node.name }} title={`${node.site}, ${node.name}`}>
          <bdi>{node.site}</bdi>
        </Link>{" "}
        <bdi className="faint">{node.name}</bdi>
      </th>
      <MatrixCell cell={{ status: worst, word, why: "" }} stale={hollow} />
      {PARTS.map((part) => (
        <MatrixCell key={part} cell={cells[part]} stale={stale && (frozen || part !== "sync")} />
      ))}
      <td className={stale ? "lost" : "faint"}>
        {age === null ? "never" : `${stale ? "stale · " : ""}${duration(age)} ago`}
      </td>
    </>
  );
}

function MatrixCell({ cell: { status, word, why }, stale }: { cell: Cell; stale: boolean }) {
  return (
    <td title={why === "" ? word : `${word}. ${why}`}>
      <StatusSymbol status={status} hollow={stale} /> {word}
    </td>
  );
}
