// Bands over time: a row a station and APID, a cell a stretch with one fate. What is missing is a link to why.
import { Link } from "@tanstack/react-router";
import { count } from "../../format/quantity";
import { dateAndTime } from "../../format/time";
import { type Band, type Bands, FATE_WORDS, HOUR_MS, lostIn, type Run, ticksOf, writePart } from "./bands";

interface Props {
  mission: string;
  bands: Bands;
  closed: readonly string[];
  chosen: string | null;
  onToggle: (node: string) => void;
}

export function BandTable({ mission, bands, closed, chosen, onToggle }: Props) {
  return (
    <section className="panel scroll-x band-panel" aria-label={`Bands of ${mission}`}>
      <table className="bands" aria-label={`Completeness of ${mission} over time`}>
        <colgroup>
          <col className="band-name" />
          {bands.cells.map((at) => (
            <col key={at} />
          ))}
        </colgroup>
        <thead>
          <tr>
            <th scope="col">Station, APID</th>
            {ticksOf(bands).map(({ at, cells }) => (
              <th key={at} colSpan={cells} scope="col">
                {tickText(at, bands.stepMs)}
              </th>
            ))}
          </tr>
        </thead>
        {bands.stations.map(({ station: { node }, total, channels }) => {
          const isClosed = closed.includes(node);
          return (
            <tbody key={node} aria-label={node}>
              <tr className="station-band">
                <th scope="row">
                  <button
                    type="button"
                    className="quiet"
                    aria-expanded={!isClosed}
                    onClick={() => onToggle(node)}
                  >
                    {isClosed ? "▸" : "▾"} <bdi>{node}</bdi>
                  </button>
                </th>
                <Runs band={total} chosen={chosen} />
              </tr>
              {isClosed
                ? null
                : channels.map((band) => (
                    <tr key={`${band.channel?.apid} ${band.channel?.link}`}>
                      <th scope="row" title={nameOf(band)}>
                        {nameOf(band)}
                      </th>
                      <Runs band={band} chosen={chosen} />
                    </tr>
                  ))}
            </tbody>
          );
        })}
      </table>
    </section>
  );
}

export function nameOf({ channel }: Pick<Band, "channel">): string {
  if (channel === null) return "all";
  return `${channel.apid === null ? "no APID" : `APID ${channel.apid}`} · ${channel.link}`;
}

function Runs({ band, chosen }: { band: Band; chosen: string | null }) {
  return band.runs.map((run) => {
    const part = writePart({ node: band.node, channel: band.channel, from: run.from, to: run.to });
    const text = runText(run);
    return (
      <td key={run.from} colSpan={run.cells} className={`fate ${run.fate}`}>
        {run.fate === "none" ? (
          <span className="visually-hidden">{text}</span>
        ) : (
          <Link
            to="."
            search={(old: object) => ({ ...old, part })}
            title={text}
            aria-label={text}
            aria-current={part === chosen ? "true" : undefined}
          >
            {FATE_WORDS[run.fate]}
          </Link>
        )}
      </td>
    );
  });
}

function runText({ fate, from, to, counts }: Run): string {
  const here = counts.received_live + counts.backfilled;
  const lost = lostIn(counts);
  return [
    `${FATE_WORDS[fate]}, ${dateAndTime(from)} to ${dateAndTime(to)}`,
    `${count(here)} here`,
    ...(lost > 0 ? [`${count(lost)} lost`] : []),
    ...(counts.not_received > 0 ? [`${count(counts.not_received)} not received`] : []),
  ].join(", ");
}

function tickText(at: number, stepMs: number): string {
  const text = dateAndTime(at);
  if (stepMs !== HOUR_MS || text.slice(11, 16) === "00:00") return text.slice(0, 10);
  return `${text.slice(11, 16)}Z`;
}
