// Sums of the span: of the mission and of each station.
import { count } from "../../format/quantity";
import { clockTime, dateAndTime, parseTime } from "../../format/time";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { StationCompleteness } from "../../types";
import { lostIn, sumOf } from "./bands";

export function Totals({ mission, stations }: { mission: string; stations: readonly StationCompleteness[] }) {
  return (
    <div className="panel scroll-x totals">
      <table className="grid" aria-label={`Totals of ${mission}`}>
        <thead>
          <tr>
            <th scope="col">Station</th>
            <th scope="col" className="number">
              Complete
            </th>
            <th scope="col" className="number">
              Live
            </th>
            <th scope="col" className="number">
              Backfilled
            </th>
            <th scope="col" className="number">
              Not received
            </th>
            <th scope="col" className="number">
              Lost
            </th>
            <th scope="col" className="number">
              Presumed lost
            </th>
            <th scope="col">Waits at the station, of all its missions</th>
          </tr>
        </thead>
        <tbody>
          {stations.map((station) => (
            <StationRow key={station.node} station={station} />
          ))}
        </tbody>
        <tfoot>
          <MissionRow mission={mission} stations={stations} />
        </tfoot>
      </table>
    </div>
  );
}

function StationRow({ station }: { station: StationCompleteness }) {
  const { counts, waiting } = station;
  return (
    <tr>
      <th scope="row">
        <bdi>{station.node}</bdi>
      </th>
      <td className="number">
        <Percent value={station.percent ?? null} />
      </td>
      <Sum value={counts.received_live} />
      <Sum value={counts.backfilled} />
      <Sum value={counts.not_received} />
      <Sum value={lostIn(counts)} />
      <Sum value={station.presumed_lost} />
      <td>
        {waiting && waiting.records > 0 ? (
          <>
            {count(waiting.records)}
            {waiting.oldest ? `, the oldest of ${dateAndTime(parseTime(waiting.oldest))}` : ""}{" "}
            <span className="faint">as said at {clockTime(parseTime(waiting.reported_at))}</span>
          </>
        ) : (
          <span className="faint">
            {waiting ? `nothing, as said at ${clockTime(parseTime(waiting.reported_at))}` : "not known"}
          </span>
        )}
      </td>
    </tr>
  );
}

function MissionRow({ mission, stations }: { mission: string; stations: readonly StationCompleteness[] }) {
  const counts = sumOf(stations.map((station) => station.counts));
  const presumed = stations.reduce((sum, station) => sum + station.presumed_lost, 0);
  const here = counts.received_live + counts.backfilled - counts.duplicates;
  const due = here + counts.not_received + lostIn(counts) + presumed;
  return (
    <tr>
      <th scope="row">
        All of <bdi>{mission}</bdi>
      </th>
      <td className="number">
        <Percent value={due > 0 ? (100 * here) / due : null} />
      </td>
      <Sum value={counts.received_live} />
      <Sum value={counts.backfilled} />
      <Sum value={counts.not_received} />
      <Sum value={lostIn(counts)} />
      <Sum value={presumed} />
      <td className="faint">percent without what waits</td>
    </tr>
  );
}

/** Never rounded up to a hundred. */
export function Percent({ value }: { value: number | null }) {
  if (value === null) return <span className="faint">nothing due</span>;
  const text = `${(Math.floor(value * 100) / 100).toFixed(2)} %`;
  const status = value >= 100 ? "normal" : value >= 99 ? "caution" : "serious";
  return (
    <>
      <StatusSymbol status={status} /> {text}
    </>
  );
}

function Sum({ value }: { value: number }) {
  return <td className={value === 0 ? "number faint" : "number"}>{count(value)}</td>;
}
