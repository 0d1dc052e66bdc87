// What the server had to say of a station.
import { dateAndTime, parseTime } from "../../format/time";
import type { TabProps } from "./NodePage";

export function EventsTab({ detail, server }: TabProps) {
  if (detail === null) return null;
  if (!detail.events)
    return (
      <p className="empty">
        {server.kind === "edge"
          ? "The hub says what it had to say of this station; a station tells its own events by mission."
          : "Events of the hub speak of all missions, so only who may know of all of them reads them."}
      </p>
    );
  if (detail.events.length === 0) return <p className="empty">The hub had nothing to say of it.</p>;
  return (
    <section className="panel scroll-x" aria-label="Events">
      <table className="grid wrap">
        <caption>The last 50 events of the hub about it, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Time (UTC)</th>
            <th scope="col">Code</th>
            <th scope="col">What happened</th>
          </tr>
        </thead>
        <tbody>
          {detail.events.map((event) => (
            <tr key={`${event.at} ${event.code} ${event.text}`}>
              <td>{dateAndTime(parseTime(event.at))}</td>
              <td>
                <code>{event.code}</code>
              </td>
              <td>
                <bdi>{event.text}</bdi>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
