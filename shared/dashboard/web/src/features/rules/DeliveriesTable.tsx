// Messages about alarms as a table, newest first.
import { Link } from "@tanstack/react-router";
import { age, dateAndTime, parseTime } from "../../format/time";
import { type Status, StatusSymbol } from "../../shell/StatusSymbol";
import { VirtualTable } from "../../table/VirtualTable";
import type { AlarmDelivery, DeliveryState } from "../../types";

const COLUMNS = [
  { name: "delivery-state", title: "State" },
  { name: "due", title: "Due (UTC)" },
  { name: "contact", title: "Contact" },
  { name: "channel", title: "By" },
  { name: "alarm-of", title: "About" },
  { name: "number tries", title: "Tries" },
  { name: "last", title: "Last try (UTC)" },
  { name: "outcome", title: "What came of it" },
];

const STATUS: Record<DeliveryState, Status> = {
  dropped: "off",
  failed: "critical",
  sent: "normal",
  waiting: "standby",
};

interface Props {
  mission: string;
  deliveries: readonly AlarmDelivery[];
  serverNow: number;
}

export function DeliveriesTable({ mission, deliveries, serverNow }: Props) {
  return (
    <VirtualTable
      label={`Messages of ${mission}`}
      className="deliveries"
      columns={COLUMNS}
      count={deliveries.length}
      rowKey={(index) => deliveries[index]?.id ?? index}
    >
      {(index) => {
        const delivery = deliveries[index];
        return delivery === undefined ? null : (
          <Cells mission={mission} delivery={delivery} serverNow={serverNow} />
        );
      }}
    </VirtualTable>
  );
}

interface CellsProps {
  mission: string;
  delivery: AlarmDelivery;
  serverNow: number;
}

function Cells({ mission, delivery, serverNow }: CellsProps) {
  const due = parseTime(delivery.due);
  const outcome = delivery.problem ?? delivery.answer ?? "";
  return (
    <>
      <td>
        <StatusSymbol status={STATUS[delivery.state] ?? "off"} /> {delivery.state}
      </td>
      <td title={age(serverNow - due)}>{dateAndTime(due)}</td>
      <th scope="row">
        <bdi>{delivery.contact}</bdi>
      </th>
      <td>{delivery.channel}</td>
      <td>
        {delivery.alarm ? (
          <Link to="/m/$mission/alarms" params={{ mission }} search={{ alarm: delivery.alarm }}>
            alarm {delivery.alarm.slice(0, 8)}
          </Link>
        ) : (
          <span className="faint">a test</span>
        )}
      </td>
      <td className="number">{delivery.attempts}</td>
      <td>{delivery.last_attempt ? dateAndTime(parseTime(delivery.last_attempt)) : ""}</td>
      <td title={outcome}>
        <bdi>{outcome}</bdi>
      </td>
    </>
  );
}
