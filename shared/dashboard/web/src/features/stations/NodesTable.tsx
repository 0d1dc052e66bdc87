// All stations with their figures, sites first: people know places, not names. Only the rows in sight are in the document.
import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { bytes, count } from "../../format/quantity";
import { dateAndTime, duration, parseTime } from "../../format/time";
import type { Frame } from "../../live/client";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { Node, Server } from "../../types";
import { clockCell } from "../fleet/status";
import { drainView, fullView, type OutlookView } from "./backlog";
import { type NodesSort, SORT_TITLES } from "./order";
import { Spacer } from "./Spacer";
import { certificate, information, STATE_STATUS, STATE_WORDS } from "./station";

const ROW_HEIGHT = 30;

interface Props {
  nodes: readonly Node[];
  server: Server["kind"];
  frame: Pick<Frame, "health" | "serverNow">;
  sort: NodesSort;
  onSort: (sort: NodesSort) => void;
}

export function NodesTable({ nodes, server, frame, sort, onSort }: Props) {
  const scroller = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: nodes.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 10,
  });
  const shown = virtual.getVirtualItems();
  const sorted = (name: NodesSort, text: string, number = false) => (
    <th
      scope="col"
      aria-sort={sort === name ? "ascending" : "none"}
      {...(number ? { className: "number" } : {})}
    >
      <button type="button" className="sort" title={SORT_TITLES[name]} onClick={() => onSort(name)}>
        {text}
        {sort === name ? <span aria-hidden="true"> ↑</span> : null}
      </button>
    </th>
  );
  return (
    <section
      className="panel table-scroller"
      ref={scroller}
      aria-label="Stations"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard.
      tabIndex={0}
    >
      <table className="grid nodes" aria-rowcount={nodes.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {sorted("site", "Site")}
            {sorted("name", "Node")}
            {sorted("connection", "Connection")}
            {sorted("contact", "Last contact", true)}
            {sorted("backlog", "Backlog", true)}
            <th scope="col" className="number">
              Size
            </th>
            {sorted("oldest", "Oldest", true)}
            <th scope="col">Drains</th>
            {sorted("full", "Journal full")}
            <th scope="col">Software</th>
            {sorted("certificate", "Certificate")}
            <th scope="col">Clock</th>
          </tr>
        </thead>
        <Spacer height={shown[0]?.start ?? 0} />
        <tbody>
          {shown.map((item) => {
            const node = nodes[item.index];
            return node === undefined ? null : (
              <NodeRow key={node.name} index={item.index + 2} node={node} server={server} frame={frame} />
            );
          })}
        </tbody>
        <Spacer height={virtual.getTotalSize() - (shown.at(-1)?.end ?? 0)} />
      </table>
    </section>
  );
}

interface RowProps extends Pick<Props, "server" | "frame"> {
  node: Node;
  index: number;
}

function NodeRow({ node, server, frame, index }: RowProps) {
  const { age, stale } = information(node, server, frame);
  const report = node.report ?? null;
  return (
    <tr aria-rowindex={index} className={stale ? "stale" : undefined} data-state={node.state}>
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
    </tr>
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
