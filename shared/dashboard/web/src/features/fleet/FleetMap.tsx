// Brings together what the map shows: stations where their sites are, the hub, and what flies over them.
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";
import { explain } from "../../api/client";
import { placesQuery } from "../../api/fleet";
import { dateAndTime } from "../../format/time";
import { useLoggedIn } from "../../session/access";
import { Loading } from "../../shell/Notice";
import { useTime } from "../../time/useTime";
import { ChosenStations } from "./ChosenStations";
import { MapLegend } from "./MapLegend";
import { readView, writeView } from "./map/view";
import type { FleetSearch } from "./search";
import { mapSite, type StationRow } from "./status";
import { useTracks } from "./useTracks";

const WorldMap = lazy(async () => ({ default: (await import("./map/WorldMap")).WorldMap }));

interface Props {
  rows: readonly StationRow[];
  search: FleetSearch;
  onSearch: (changes: FleetSearch) => void;
}

export function FleetMap({ rows, search, onSearch }: Props) {
  const { mode, now } = useTime();
  const { server } = useLoggedIn().session;
  const places = useQuery(placesQuery);
  // A map that is drawn once a second moves smoothly enough.
  const second = Math.floor(now / 1000) * 1000;
  const tracks = useTracks(search.mission ?? null, second);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const bySite = useMemo(
    () => new Map(places.data?.sites.map((site) => [site.site, site.place ?? null])),
    [places.data],
  );
  const sites = useMemo(
    () =>
      rows.flatMap((row) => {
        const place = bySite.get(row.node.site);
        if (!place) return [];
        return [mapSite(row, { latitude: place.latitude_deg, longitude: place.longitude_deg })];
      }),
    [rows, bySite],
  );
  const masks = useMemo(
    () => new Map(rows.map(({ node }) => [node.name, bySite.get(node.site)?.mask_deg ?? 0])),
    [rows, bySite],
  );
  const hubPlace = server.kind === "hub" ? (bySite.get(server.name) ?? null) : null;
  const hub = useMemo(
    () => hubPlace && { latitude: hubPlace.latitude_deg, longitude: hubPlace.longitude_deg },
    [hubPlace],
  );
  const unplaced = rows.filter((row) => !bySite.get(row.node.site));
  const view = readView(search.at);
  return (
    <div className="fleet-map">
      <Suspense fallback={<Loading what="map" />}>
        <WorldMap
          label="Map of stations"
          sites={sites}
          hub={hub}
          tracks={tracks.shown}
          masks={masks}
          sun={tracks.sun}
          now={second}
          {...(view === null ? {} : { initialView: view })}
          onView={(next) => onSearch({ ...search, at: writeView(next) })}
          onChoose={(members) => setChosen(members.map(({ id }) => id))}
        />
      </Suspense>
      <aside aria-label="About the map">
        <ChosenStations
          rows={rows.filter((row) => chosen.includes(row.node.name))}
          onClose={() => setChosen([])}
        />
        {mode.kind === "live" ? null : (
          <p className="notice">
            Tracks and night are those of {dateAndTime(now)}; stations are shown as they are now.
          </p>
        )}
        <MapLegend
          mission={search.mission ?? null}
          missions={tracks.missions}
          onMission={(mission) => {
            const { mission: _, ...rest } = search;
            onSearch(mission === null ? rest : { ...rest, mission });
          }}
          crafts={tracks.shown.map((track) => track.name)}
          problems={tracks.problems}
          hubName={server.kind === "hub" && hubPlace === null && places.isSuccess ? server.name : null}
          unplaced={places.isSuccess ? unplaced : []}
          isCrowded={sites.length > 100}
          placesProblem={places.isError ? explain(places.error).detail : null}
        />
      </aside>
    </div>
  );
}
