// The list of packets, newest first while it follows the present.
import { Link } from "@tanstack/react-router";
import { count } from "../../format/quantity";
import { dateAndTime, parseTime, preciseClockTime } from "../../format/time";
import { StatusSymbol } from "../../shell/StatusSymbol";
import { VirtualTable } from "../../table/VirtualTable";
import type { PacketSummary } from "../../types";
import { HOW, verdict } from "./packet";

interface Props {
  mission: string;
  packets: readonly PacketSummary[];
  selected: string | null;
  newestFirst: boolean;
  onEnd: () => void;
}

export function PacketTable({ mission, packets, selected, newestFirst, onEnd }: Props) {
  return (
    <VirtualTable
      label={`Packets of ${mission}`}
      className="packets"
      columns={[
        { name: "when", title: "Received (UTC)", sort: newestFirst ? "descending" : "ascending" },
        { name: "number apid", title: "APID" },
        { name: "number sequence", title: "Sequence" },
        { name: "number bytes", title: "Bytes" },
        { name: "verdict", title: "Verdict" },
        { name: "node", title: "Station" },
        { name: "link", title: "Link" },
        { name: "how", title: "Came" },
        { name: "made", title: "Generated (UTC)" },
      ]}
      count={packets.length}
      rowKey={(index) => packets[index]?.id ?? index}
      isSelected={(index) => packets[index]?.id === selected}
      onRange={(_, end) => {
        if (end >= packets.length) onEnd();
      }}
    >
      {(index) => {
        const packet = packets[index];
        return packet === undefined ? null : <Cells packet={packet} />;
      }}
    </VirtualTable>
  );
}

function Cells({ packet }: { packet: PacketSummary }) {
  const { status, word } = verdict(packet);
  const received = parseTime(packet.reception_time);
  const generated = packet.generation_time ? parseTime(packet.generation_time) : null;
  return (
    <>
      <th scope="row">
        <Link to="." search={(old: object) => ({ ...old, packet: packet.id })} title={packet.reception_time}>
          {dateAndTime(received).slice(0, 10)} {preciseClockTime(received)}
        </Link>
      </th>
      <td className="number">{packet.apid ?? "none"}</td>
      <td className="number">{packet.sequence_count ?? ""}</td>
      <td className="number">{count(packet.bytes)}</td>
      <td>
        <StatusSymbol status={status} />{" "}
        <span className={status === "normal" ? "faint" : `state ${status}`}>{word}</span>
      </td>
      <td title={packet.node}>
        <bdi>{packet.node}</bdi>
      </td>
      <td title={packet.link}>
        <bdi>{packet.link}</bdi>
      </td>
      <td className={packet.provenance === "live" ? "faint" : undefined}>{HOW[packet.provenance]}</td>
      <td className="faint" title={packet.generation_time ?? "The packet does not say when it was made."}>
        {generated === null
          ? "not said"
          : `${dateAndTime(generated).slice(0, 10)} ${preciseClockTime(generated)}`}
      </td>
    </>
  );
}
