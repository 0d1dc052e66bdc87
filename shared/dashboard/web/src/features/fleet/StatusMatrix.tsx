// Stations by parts: what the map shows as symbols, as a table of words. Only the rows in sight are in the document.
import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { duration } from "../../format/time";
import { StatusSymbol } from "../../shell/StatusSymbol";
import { Spacer } from "../stations/Spacer";
import { type Cell, PART_TITLES, PARTS, type Sort, type StationRow } from "./status";

const ROW_HEIGHT = 30;

interface Props {
  rows: readonly StationRow[];
  /** Nothing can have been heard since, because the connection is frozen. */
  frozen: boolean;
  sort: Sort;
  onSort: (sort: Sort) => void;
}

export function StatusMatrix({ rows, frozen, sort, onSort }: Props) {
  const scroller = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 10,
  });
  const shown = virtual.getVirtualItems();
  return (
    <section
      className="panel table-scroller"
      ref={scroller}
      aria-label="Status matrix"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard.
      tabIndex={0}
    >
      <table className="grid matrix" aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <Head name="site" text="Station" title="By site and node" sort={sort} onSort={onSort} />
            <Head name="worst" text="Worst" title="The worst of all parts" sort={sort} onSort={onSort} />
            {PARTS.map((part) => (
              <Head
                key={part}
                name={part}
                text={part}
                title={PART_TITLES[part]}
                sort={sort}
                onSort={onSort}
              />
            ))}
            <th scope="col" className="col-heard">
              Heard
            </th>
          </tr>
        </thead>
        <Spacer height={shown[0]?.start ?? 0} />
        <tbody>
          {shown.map((item) => {
            const row = rows[item.index];
            return row === undefined ? null : (
              <MatrixRow key={row.node.name} index={item.index + 2} row={row} frozen={frozen} />
            );
          })}
        </tbody>
        <Spacer height={virtual.getTotalSize() - (shown.at(-1)?.end ?? 0)} />
      </table>
    </section>
  );
}

interface HeadProps {
  name: Sort;
  text: string;
  title: string;
  sort: Sort;
  onSort: (sort: Sort) => void;
}

function Head({ name, text, title, sort, onSort }: HeadProps) {
  return (
    <th scope="col" aria-sort={sort === name ? "ascending" : "none"} className={`col-${name}`}>
      <button type="button" className="sort" title={title} onClick={() => onSort(name)}>
        {text}
        {sort === name ? <span aria-hidden="true"> ↑</span> : null}
      </button>
    </th>
  );
}

function MatrixRow({ row, index, frozen }: { row: StationRow; index: number; frozen: boolean }) {
  const { node, cells, worst, word, stale, hollow, age } = row;
  return (
    <tr aria-rowindex={index} className={stale ? "stale" : undefined} data-worst={worst}>
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
    </tr>
  );
}

function MatrixCell({ cell: { status, word, why }, stale }: { cell: Cell; stale: boolean }) {
  return (
    <td title={why === "" ? word : `${word}. ${why}`}>
      <StatusSymbol status={status} hollow={stale} /> {word}
    </td>
  );
}
