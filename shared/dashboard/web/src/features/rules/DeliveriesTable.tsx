// Messages about alarms as a table, newest first.
import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { age, dateAndTime, parseTime } from "../../format/time";
import { type Status, StatusSymbol } from "../../shell/StatusSymbol";
import type { AlarmDelivery, DeliveryState } from "../../types";
import { Spacer } from "../stations/Spacer";

const ROW_HEIGHT = 30;

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
  const scroller = useRef<HTMLElement>(null);
  const rows = useVirtualizer({
    count: deliveries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 10,
  });
  const inSight = rows.getVirtualItems();
  return (
    <section
      className="panel table-scroller"
      ref={scroller}
      aria-label={`Messages of ${mission}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard.
      tabIndex={0}
    >
      <table className="grid deliveries" aria-rowcount={deliveries.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col">State</th>
            <th scope="col">Due (UTC)</th>
            <th scope="col">Contact</th>
            <th scope="col">By</th>
            <th scope="col">About</th>
            <th scope="col" className="number">
              Tries
            </th>
            <th scope="col">Last try (UTC)</th>
            <th scope="col">What came of it</th>
          </tr>
        </thead>
        <Spacer height={inSight[0]?.start ?? 0} />
        <tbody>
          {inSight.map(({ index }) => {
            const delivery = deliveries[index];
            return delivery === undefined ? null : (
              <Row
                key={delivery.id}
                index={index + 2}
                mission={mission}
                delivery={delivery}
                serverNow={serverNow}
              />
            );
          })}
        </tbody>
        <Spacer height={rows.getTotalSize() - (inSight.at(-1)?.end ?? 0)} />
      </table>
    </section>
  );
}

interface RowProps {
  index: number;
  mission: string;
  delivery: AlarmDelivery;
  serverNow: number;
}

function Row({ index, mission, delivery, serverNow }: RowProps) {
  const due = parseTime(delivery.due);
  const outcome = delivery.problem ?? delivery.answer ?? "";
  return (
    <tr aria-rowindex={index}>
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
    </tr>
  );
}
