// Who was told of an alarm, what became of it, and what waits to be sent.
import { useQuery } from "@tanstack/react-query";
import { messagesQuery } from "../../api/alarms";
import { clockTime, dateAndTime, duration, parseTime } from "../../format/time";
import { Failure, Loading } from "../../shell/Notice";
import type { AlarmDelivery } from "../../types";

interface Props {
  mission: string;
  alarm: string;
  serverNow: number;
}

export function Messages({ mission, alarm, serverNow }: Props) {
  const { data, isError, error, refetch } = useQuery(messagesQuery(mission, alarm));
  return (
    <div>
      {isError ? <Failure error={error} onRetry={() => void refetch()} /> : null}
      {data === undefined && !isError ? <Loading what="messages" /> : null}
      {data === undefined || data.deliveries.length === 0 ? null : (
        <ul className="entries" aria-label="Messages">
          {data.deliveries.map((delivery) => (
            <li key={delivery.id}>
              <time title={dateAndTime(parseTime(delivery.due))}>{clockTime(parseTime(delivery.due))}</time>{" "}
              <bdi>{delivery.contact}</bdi> <span className="faint">{delivery.channel}</span>{" "}
              {stateText(delivery, serverNow)}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

export function stateText({ state, due, attempts, problem }: AlarmDelivery, serverNow: number): string {
  if (state !== "waiting") return `${state}${problem ? `: ${problem}` : ""}`;
  const wait = parseTime(due) - serverNow;
  if (attempts > 0) return `waits for another try after ${attempts}${problem ? `: ${problem}` : ""}`;
  return wait > 0 ? `due in ${duration(wait)}` : "waits to be sent";
}
