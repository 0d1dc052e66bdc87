// What the map's lines mean, whose tracks it shows, and what it cannot show.
import { Link } from "@tanstack/react-router";
import { plural } from "../../format/quantity";
import type { StationRow } from "./status";

interface Props {
  mission: string | null;
  missions: readonly string[];
  onMission: (mission: string | null) => void;
  crafts: readonly string[];
  problems: readonly string[];
  /** Name of the hub, when nobody has said where it is. */
  hubName: string | null;
  unplaced: readonly StationRow[];
  /** So many stations that lines and circles would hide them. */
  isCrowded: boolean;
  placesProblem: string | null;
}

/** More names than these are a list for the matrix. */
const NAMED = 8;

export function MapLegend(props: Props) {
  const { mission, missions, onMission, crafts, problems, hubName, unplaced, isCrowded, placesProblem } =
    props;
  return (
    <section className="panel legend" aria-label="Legend">
      <label className="field">
        <span className="faint">Tracks of</span>
        <select value={mission ?? ""} onChange={(event) => onMission(event.target.value || null)}>
          <option value="">all missions</option>
          {missions.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <ul>
        <li>
          <Line className="link" /> link live{isCrowded ? "; left out among so many stations" : ""}
        </li>
        <li>
          <Line className="link" dash="5 5" /> link degraded; none is drawn while offline
        </li>
        <li>
          <Line className="track" /> ground track ahead, <Line className="track" dash="2 4" /> behind
        </li>
        {crafts[0] === undefined ? null : (
          <li>
            <Line className="circle" dash="1 3" /> where <bdi>{crafts[0]}</bdi> is heard
          </li>
        )}
        <li>
          <Line className="terminator" dash="2 4" /> edge of the night, which is darker
        </li>
      </ul>
      {problems.map((problem) => (
        <p key={problem} className="faint">
          No track, or an old one: <bdi>{problem}</bdi>
        </p>
      ))}
      {placesProblem === null ? null : (
        <p>
          No places: <bdi>{placesProblem}</bdi>
        </p>
      )}
      {hubName === null ? null : (
        <p className="faint">
          No links are drawn, because nobody has said where the hub is: set the place of a site called{" "}
          <code>{hubName}</code>.
        </p>
      )}
      {unplaced.length === 0 ? null : (
        <p>
          {plural(unplaced.length, "station")} without a place:{" "}
          {unplaced.slice(0, NAMED).map(({ node }, index) => (
            <span key={node.name}>
              {index === 0 ? "" : ", "}
              <Link to="/nodes/$node" params={{ node: node.name }} search={{ tab: "actions" }}>
                <bdi>{node.site}</bdi>
              </Link>
            </span>
          ))}
          {unplaced.length > NAMED ? ` and ${unplaced.length - NAMED} more` : ""}. The matrix has all.
        </p>
      )}
    </section>
  );
}

function Line({ className, dash }: { className: string; dash?: string }) {
  return (
    <svg className={`line ${className}`} viewBox="0 0 28 8" width="28" height="8" aria-hidden="true">
      <path d="M0 4H28" {...(dash === undefined ? {} : { strokeDasharray: dash })} />
    </svg>
  );
}
