// All stations with their figures, sites first: people know places, not names.
import { Link } from "@tanstack/react-router";
import { bytes, count } from "../../format/quantity";
import { dateAndTime, duration, parseTime } from "../../format/time";
import type { Frame } from "../../live/client";
import { StatusSymbol } from "../../shell/StatusSymbol";
import { type Column, VirtualTable } from "../../table/VirtualTable";
import type { Node, Server } from "../../types";
import { clockCell } from "../fleet/status";
import { drainView, fullView, type OutlookView } from "./backlog";
import { type NodesSort, SORT_TITLES } from "./order";
import { certificate, information, STATE_STATUS, STATE_WORDS } from "./station";

const COLUMNS: readonly (Column & { sortsBy?: NodesSort })[] = [
  { name: "site", title: "Site", sortsBy: "site" },
  { name: "name", title: "Node", sortsBy: "name" },
  { name: "connection", title: "Connection", sortsBy: "connection" },
  { name: "number contact", title: "Last contact", sortsBy: "contact" },
  { name: "number backlog", title: "Backlog", sortsBy: "backlog" },
  { name: "number size", title: "Size" },
  { name: "number oldest", title: "Oldest", sortsBy: "oldest" },
  { name: "drains", title: "Drains" },
  { name: "full", title: "Journal full", sortsBy: "full" },
  { name: "software", title: "Software" },
  { name: "certificate", title: "Certificate", sortsBy: "certificate" },
  { name: "clock-offset", title: "Clock" },
];

interface Props {
  nodes: readonly Node[];
  server: Server["kind"];
  frame: Pick<Frame, "health" | "serverNow">;
  sort: NodesSort;
  onSort: (sort: NodesSort) => void;
}

export function NodesTable({ nodes, server, frame, sort, onSort }: Props) {
  return (
    <VirtualTable
      label="Stations"
      className="nodes first-stays"
      columns={COLUMNS.map(({ sortsBy, ...column }) =>
        sortsBy === undefined
          ? column
          : {
              ...column,
              hint: SORT_TITLES[sortsBy],
              sort: sort === sortsBy ? "ascending" : "none",
              onSort: () => onSort(sortsBy),
            },
      )}
      count={nodes.length}
      rowKey={(index) => nodes[index]?.name ?? index}
      rowClass={(index) => {
        const node = nodes[index];
        return node !== undefined && information(node, server, frame).stale ? "stale" : undefined;
      }}
    >
      {(index) => {
        const node = nodes[index];
        return node === undefined ? null : <Cells node={node} server={server} frame={frame} />;
      }}
    </VirtualTable>
  );
}

function Cells({ node, server, frame }: Pick<Props, "server" | "frame"> & { node: Node }) {
  const { age, stale } = information(node, server, frame);
  const report = node.report ?? null;
  return (
    <>
      <th scope="row" title={node.site}>
        <Link to="/nodes/$node" params={{ node: node.name }}>
          <bdi>{node.site}</bdi>
        </Link>
      </th>
      <td title={node.name}>
        <bdi>{node.name}</bdi>
      </td>
      <td title={node.problem ?? undefined}>
        <StatusSymbol
          status={STATE_STATUS[node.state]}
          hollow={frame.health.state !== "live" || (stale && node.state === "connected")}
        />{" "}
        {STATE_WORDS[node.state]}
      </td>
      <td
        className={stale ? "number lost" : "number"}
        title={node.last_contact ? dateAndTime(parseTime(node.last_contact)) : undefined}
      >
        {age === null ? "never" : `${stale ? "stale · " : ""}${duration(age)} ago`}
      </td>
      {report === null ? (
        <td colSpan={8} className="faint">
          no report yet
        </td>
      ) : (
        <Reported report={report} stale={stale} serverNow={frame.serverNow} />
      )}
    </>
  );
}

function Reported({
  report,
  stale,
  serverNow,
}: {
  report: NonNullable<Node["report"]>;
  stale: boolean;
  serverNow: number;
}) {
  const { backlog } = report;
  const ends = certificate(report.certificate_days);
  const clock = clockCell(report);
  return (
    <>
      <td className="number" title={`${count(backlog.batches)} batches`}>
        {count(backlog.packets)}
      </td>
      <td className="number" title={`${count(backlog.bytes)} bytes`}>
        {bytes(backlog.bytes)}
      </td>
      <td className="number" title={backlog.oldest ?? undefined}>
        {backlog.oldest ? duration(serverNow - parseTime(backlog.oldest)) : "–"}
      </td>
      <Outlook view={drainView(backlog)} stale={stale} />
      <Outlook view={fullView(backlog) ?? { status: "normal", text: "not in sight" }} stale={stale} />
      <td title={report.version}>{report.version}</td>
      <td>
        <StatusSymbol status={ends.status} hollow={stale} /> {ends.text}
      </td>
      <td title={clock.why}>
        <StatusSymbol status={clock.status} hollow={stale} /> {clock.word}
      </td>
    </>
  );
}

function Outlook({ view, stale }: { view: OutlookView; stale: boolean }) {
  return (
    <td title={view.why}>
      <StatusSymbol status={view.status} hollow={stale} /> {view.text}
    </td>
  );
}
