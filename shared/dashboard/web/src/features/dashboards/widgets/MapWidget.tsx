// The stations on a small map, with the way of the mission's spacecraft over them.
import "../../fleet/fleet.css";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { placesQuery, type SitePlace } from "../../../api/fleet";
import { dateAndTime } from "../../../format/time";
import { Failure, Loading } from "../../../shell/Notice";
import { StatusSymbol } from "../../../shell/StatusSymbol";
import { useTime } from "../../../time/useTime";
import { WorldMap } from "../../fleet/map/WorldMap";
import { mapSite, type StationRow } from "../../fleet/status";
import { useFleet } from "../../fleet/useFleet";
import { useTracks } from "../../fleet/useTracks";
import type { WidgetProps } from "./kinds";

export function MapWidget({ mission, name, asTable }: WidgetProps) {
  const { rows, frozen, error, retry } = useFleet();
  const { mode, now } = useTime();
  const navigate = useNavigate();
  const places = useQuery(placesQuery);
  const second = Math.floor(now / 1000) * 1000;
  const tracks = useTracks(mission, second);
  const bySite = useMemo(
    () => new Map(places.data?.sites.map((site) => [site.site, site.place ?? null])),
    [places.data],
  );
  const sites = useMemo(
    () =>
      (rows ?? []).flatMap((row) => {
        const place = bySite.get(row.node.site);
        return place ? [mapSite(row, { latitude: place.latitude_deg, longitude: place.longitude_deg })] : [];
      }),
    [rows, bySite],
  );
  if (rows === null) return error ? <Failure error={error} onRetry={retry} /> : <Loading what="stations" />;
  return (
    <>
      {asTable ? (
        <StationTable name={name} rows={rows} bySite={bySite} />
      ) : (
        <div className="small-map">
          <WorldMap
            label={`Map: ${name}`}
            sites={sites}
            tracks={tracks.shown}
            sun={tracks.sun}
            now={second}
            onChoose={([first]) => {
              if (first !== undefined) void navigate({ to: "/nodes/$node", params: { node: first.id } });
            }}
          />
        </div>
      )}
      <p className={`widget-note ${mode.kind === "live" && !frozen ? "faint" : "old"}`}>
        {mode.kind === "live"
          ? `${frozen ? "No connection: stations" : "Stations"} as of ${dateAndTime(now)}`
          : `Tracks of ${dateAndTime(now)}, stations as they are now`}
        {tracks.problems.map((problem) => ` · ${problem}`)}
      </p>
    </>
  );
}

interface TableProps {
  name: string;
  rows: readonly StationRow[];
  bySite: ReadonlyMap<string, SitePlace | null>;
}

function StationTable({ name, rows, bySite }: TableProps) {
  return (
    <div className="widget-scroller">
      <table className="grid" aria-label={`Stations: ${name}`}>
        <thead>
          <tr>
            <th scope="col">Site</th>
            <th scope="col">Station</th>
            <th scope="col">State</th>
            <th scope="col">Place</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ node, worst, word, hollow }) => {
            const place = bySite.get(node.site);
            return (
              <tr key={node.name}>
                <th scope="row">
                  <bdi>{node.site}</bdi>
                </th>
                <td>
                  <Link to="/nodes/$node" params={{ node: node.name }}>
                    <bdi>{node.name}</bdi>
                  </Link>
                </td>
                <td>
                  <StatusSymbol status={worst} hollow={hollow} /> {word}
                </td>
                <td className="faint">
                  {place
                    ? `${place.latitude_deg.toFixed(1)}°, ${place.longitude_deg.toFixed(1)}°`
                    : "not known"}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
