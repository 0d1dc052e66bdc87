// What comes in over a station's links, and what is wrong with it.
import { bytes, count } from "../../format/quantity";
import { age, clockTime, parseTime } from "../../format/time";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { LinkReport } from "../../types";

export function LinksTable({
  links,
  serverNow,
  station,
}: {
  links: readonly LinkReport[];
  serverNow: number;
  station: string;
}) {
  if (links.length === 0) return <p className="faint">No intake links are configured.</p>;
  return (
    <div className="scroll-x">
      <table className="grid links" aria-label={`Intake links of ${station}`}>
        <thead>
          <tr>
            <th scope="col">Intake link</th>
            <th scope="col">Mission</th>
            <th scope="col">Listens on</th>
            <th scope="col" className="number">
              Clients
            </th>
            <th scope="col" className="number">
              Packets
            </th>
            <th scope="col" className="number">
              Bytes
            </th>
            <th scope="col" className="number">
              Last packet
            </th>
            <th scope="col">Sequence</th>
            <th scope="col">Rejected</th>
          </tr>
        </thead>
        <tbody>
          {links.map((link) => (
            <tr key={link.name}>
              <th scope="row">
                <bdi>{link.name}</bdi>
              </th>
              <td>
                <bdi>{link.mission}</bdi>
              </td>
              <td className="faint">{link.listen}</td>
              <td className="number">{count(link.clients)}</td>
              <td className="number">{count(link.packets)}</td>
              <td className="number" title={`${count(link.bytes)} bytes`}>
                {bytes(link.bytes)}
              </td>
              <td className="number" title={link.last_packet ?? undefined}>
                {link.last_packet ? (
                  <PacketAge at={parseTime(link.last_packet)} serverNow={serverNow} />
                ) : (
                  "none yet"
                )}
              </td>
              <td>
                <Sequence link={link} />
              </td>
              <td>
                <Rejections link={link} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function PacketAge({ at, serverNow }: { at: number; serverNow: number }) {
  return <time title={clockTime(at)}>{age(serverNow - at)}</time>;
}

/** What the sequence counts say; only what is out of order. */
function Sequence({ link: { continuity } }: { link: LinkReport }) {
  if (!continuity) return <span className="faint">not told</span>;
  const { missing, gaps, duplicates, late, resets } = continuity;
  const found = [
    missing > 0 && `${count(missing)} missing in ${count(gaps)} ${gaps === 1 ? "gap" : "gaps"}`,
    duplicates > 0 && `${count(duplicates)} doubled`,
    late > 0 && `${count(late)} late`,
    resets > 0 && `${count(resets)} ${resets === 1 ? "reset" : "resets"}`,
  ].filter((text) => text !== false);
  if (found.length === 0) return <span className="faint">in order</span>;
  return (
    <ul className="rejections">
      {found.map((text) => (
        <li key={text}>
          <StatusSymbol status="caution" /> {text}
        </li>
      ))}
    </ul>
  );
}

function Rejections({ link }: { link: LinkReport }) {
  if (link.rejected.length === 0) return <span className="faint">none</span>;
  return (
    <ul className="rejections">
      {link.rejected.map(({ cause, count: times, bytes: size }) => (
        <li key={cause}>
          <StatusSymbol status="caution" /> {cause} {count(times)}{" "}
          <span className="faint">({bytes(size)})</span>
        </li>
      ))}
    </ul>
  );
}
