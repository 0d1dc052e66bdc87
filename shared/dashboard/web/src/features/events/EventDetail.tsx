// One event in full, with ways to what was going on then.
import { Link } from "@tanstack/react-router";
import { dateAndTime, preciseClockTime } from "../../format/time";
import { writeMode } from "../../time/mode";
import { SeverityWord, Speaker } from "./EventTable";
import type { LogRow } from "./log";

const AROUND_MS = 10 * 60_000;

interface Props {
  mission: string;
  row: LogRow;
  onClose: () => void;
}

export function EventDetail({ mission, row, onClose }: Props) {
  const t = writeMode({
    kind: "fixed",
    from: Math.floor(row.at - AROUND_MS),
    to: Math.ceil(row.at + AROUND_MS),
  });
  return (
    <section className="panel event" aria-label="Event">
      <header>
        <SeverityWord severity={row.severity} />
        <strong>
          {dateAndTime(row.at).slice(0, 10)} {preciseClockTime(row.at)}
        </strong>
        <span>
          <Speaker row={row} />
        </span>
        <code>{row.code}</code>
        <span className="grow" />
        <Link to="/m/$mission/parameters" params={{ mission }} search={{ t }}>
          Values then
        </Link>
        <Link to="/m/$mission/packets" params={{ mission }} search={{ t }}>
          Packets around it
        </Link>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </header>
      <p className="event-text">
        <bdi>{row.text}</bdi>
      </p>
      {row.details.length === 0 ? null : (
        <dl>
          {row.details.map(({ name, value }) => (
            <div key={name}>
              <dt>
                <bdi>{name}</bdi>
              </dt>
              <dd>
                <bdi>{value}</bdi>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}
