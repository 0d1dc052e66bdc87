// Where the mission's spacecraft are: a globe with their attitude, the same on a flat map, and in words.
import { useQuery } from "@tanstack/react-query";
import { Component, lazy, type ReactNode, Suspense, useCallback, useMemo, useState } from "react";
import { explain } from "../../api/client";
import { placesQuery } from "../../api/fleet";
import { groundTracksQuery } from "../../api/passes";
import { parametersQuery } from "../../api/queries";
import { dateAndTime, duration, parseTime } from "../../format/time";
import { Failure, Loading } from "../../shell/Notice";
import { StatusSymbol } from "../../shell/StatusSymbol";
import { useValues } from "../../telemetry/values";
import { useTime } from "../../time/useTime";
import type { GroundTracks } from "../../types";
import { mapSite } from "../fleet/status";
import { useFleet } from "../fleet/useFleet";
import {
  bodyAxes,
  guessQuaternion,
  onGlobe,
  positionAt,
  type Quaternion,
  sceneAxis,
  sunAt,
  toEarthFixed,
  toScene,
  type Vector,
} from "./frames";
import "./orbit.css";

const Globe = lazy(() => import("./Globe"));
const WorldMap = lazy(async () => ({ default: (await import("../fleet/map/WorldMap")).WorldMap }));

/** A way around: half before, half behind. */
const SPAN_MS = 100 * 60_000;
const STEP_S = 30;
const ROUNDED_MS = 5 * 60_000;

export interface OrbitPageProps {
  mission: string;
  flat: boolean;
  onFlat: (flat: boolean) => void;
}

export function OrbitPage({ mission, flat, onFlat }: OrbitPageProps) {
  const { now } = useTime();
  const middle = Math.floor(now / ROUNDED_MS) * ROUNDED_MS;
  const tracks = useQuery(
    groundTracksQuery(mission, middle - SPAN_MS / 2, middle + SPAN_MS / 2 + ROUNDED_MS, STEP_S),
  );
  const [failed, setFailed] = useState(false);
  const onFailure = useCallback(() => setFailed(true), []);
  const isFlat = flat || failed;
  return (
    <>
      <header className="page-head">
        <h1>Orbit</h1>
        <fieldset className="segments">
          <legend className="visually-hidden">View</legend>
          <button
            type="button"
            aria-pressed={!isFlat}
            aria-disabled={failed}
            title={failed ? "This browser draws nothing in three dimensions (WebGL)" : undefined}
            onClick={() => !failed && onFlat(false)}
          >
            Globe
          </button>
          <button type="button" aria-pressed={isFlat} onClick={() => onFlat(true)}>
            Map
          </button>
        </fieldset>
        {failed ? <span className="faint">This browser has no WebGL: the map is shown instead.</span> : null}
      </header>
      {tracks.data === undefined ? (
        tracks.isError ? (
          <Failure error={tracks.error} onRetry={() => void tracks.refetch()} />
        ) : (
          <Loading what="orbits" />
        )
      ) : tracks.data.spacecraft.length === 0 ? (
        <p className="empty">
          No orbit elements are known of this mission. Import some on the page of its passes.
        </p>
      ) : (
        <Shown mission={mission} tracks={tracks.data} now={now} isFlat={isFlat} onFailure={onFailure} />
      )}
    </>
  );
}

interface ShownProps {
  mission: string;
  tracks: GroundTracks;
  now: number;
  isFlat: boolean;
  onFailure: () => void;
}

function Shown({ mission, tracks, now, isFlat, onFailure }: ShownProps) {
  const second = Math.floor(now / 1000) * 1000;
  const sun = sunAt(tracks.sun, second);
  const attitude = useAttitude(mission);
  const stations = useSites();
  const sidereal = sun?.sidereal_deg ?? 0;
  const crafts = useMemo(() => {
    return tracks.spacecraft.flatMap((track, index) => {
      const at = positionAt(track, second);
      if (at === null) return [];
      // Telemetry says one attitude for the mission: that of its first spacecraft.
      const axes = index === 0 ? attitude.axes : null;
      const turned = axes?.map((axis) => sceneAxis(toEarthFixed(axis, sidereal))) as [Vector, Vector, Vector];
      return [{ place: toScene(at.position_km), axes: axes === null ? null : turned }];
    });
  }, [tracks, second, attitude.axes, sidereal]);
  const lines = useMemo(
    () => tracks.spacecraft.map(({ points }) => points.map((at) => toScene(at.position_km))),
    [tracks],
  );
  const towardsSun = useMemo(() => sun && onGlobe(sun.latitude_deg, sun.longitude_deg, 9), [sun]);
  // Stations are told of each second, and seldom move.
  const places = JSON.stringify(stations.map(({ latitude, longitude }) => [latitude, longitude]));
  const dots = useMemo(
    () => (JSON.parse(places) as [number, number][]).map((place) => onGlobe(...place)),
    [places],
  );
  const ways = useMemo(
    () =>
      tracks.spacecraft.map(({ spacecraft, points }) => ({
        id: spacecraft,
        name: spacecraft,
        points: points.map((at) => ({
          at: parseTime(at.at),
          latitude: at.latitude_deg,
          longitude: at.longitude_deg,
          heightKm: at.height_km,
          sunlit: at.sunlit,
        })),
      })),
    [tracks],
  );
  return (
    <div className="orbit">
      <div className="panel orbit-view">
        <Suspense fallback={<Loading what="view" />}>
          {isFlat ? (
            <WorldMap
              label="Ground track"
              sites={stations}
              tracks={ways}
              sun={sun && { latitude: sun.latitude_deg, longitude: sun.longitude_deg }}
              now={second}
              onChoose={onNothing}
            />
          ) : (
            <Guard onFailure={onFailure}>
              <Globe
                label="Globe"
                crafts={crafts}
                ways={lines}
                stations={dots}
                sun={towardsSun}
                onFailure={onFailure}
              />
            </Guard>
          )}
        </Suspense>
      </div>
      <div className="panel orbit-words">
        {tracks.spacecraft.map((track) => {
          const at = positionAt(track, second);
          return (
            <section key={track.spacecraft}>
              <h2>
                <bdi>{track.spacecraft}</bdi>
              </h2>
              {at === null ? (
                <p>Not known at this time.</p>
              ) : (
                <p>
                  {at.latitude_deg.toFixed(2)}°, {at.longitude_deg.toFixed(2)}°, {at.height_km.toFixed(0)} km
                  high, {at.sunlit ? "in sunlight" : "in shadow"}, computed for {dateAndTime(second)}
                </p>
              )}
              <p className="faint">
                Elements of {dateAndTime(parseTime(track.epoch))}, {duration(Math.abs(track.age_s) * 1000)}{" "}
                away.
              </p>
              {track.warning ? (
                <p>
                  <StatusSymbol status="caution" /> {track.warning}
                </p>
              ) : null}
            </section>
          );
        })}
        <section>
          <h2>Attitude</h2>
          <p>{attitude.words}</p>
          {attitude.axes === null ? null : (
            <p className="faint">
              Body axes: x through and red, y dashed and green, z dotted and blue, turned from inertial
              directions by telemetry.
            </p>
          )}
        </section>
      </div>
    </div>
  );
}

const NONE: readonly string[] = [];
const onNothing = () => {};

/** The attitude that telemetry tells, if it does, and what may be said of it. */
function useAttitude(mission: string): { axes: [Vector, Vector, Vector] | null; words: string } {
  const parameters = useQuery(parametersQuery(mission));
  const names = useMemo(
    () => guessQuaternion((parameters.data ?? []).map(({ name }) => name)),
    [parameters.data],
  );
  const values = useValues(mission, names ?? NONE);
  const shown = (names ?? []).map(values.of);
  const numbers = shown.map((value) => Number(value?.sample.engineering ?? Number.NaN));
  const key = JSON.stringify(numbers);
  const axes = useMemo(() => {
    const q = JSON.parse(key) as (number | null)[];
    return q.length === 4 && q.every((part) => part !== null) ? bodyAxes(q as Quaternion) : null;
  }, [key]);
  const error = parameters.data === undefined ? parameters.error : values.error;
  if (error !== null) return { axes: null, words: `The attitude is not known. ${explain(error).title}.` };
  if (names === null)
    return { axes: null, words: "No parameters of this mission look like an attitude quaternion." };
  const oldest = shown.reduce((age, value) => Math.max(age, value?.age ?? Number.POSITIVE_INFINITY), 0);
  if (names.some((name) => values.of(name) === null && values.lackOf(name) === "waiting"))
    return { axes: null, words: `Waiting for ${names[0]} and its like.` };
  if (axes === null) return { axes, words: `${names[0]} and its like hold no attitude now.` };
  const stale = shown.some((value) => value?.stale ?? true);
  return {
    axes: stale ? null : axes,
    words: stale
      ? `The last attitude is ${duration(oldest)} old: it is not drawn.`
      : `From ${names[0]} and its like, ${duration(oldest)} old.`,
  };
}

function useSites() {
  const places = useQuery(placesQuery);
  const { rows } = useFleet();
  return useMemo(() => {
    const bySite = new Map(places.data?.sites.map((site) => [site.site, site.place ?? null]));
    return (rows ?? []).flatMap((row) => {
      const place = bySite.get(row.node.site);
      return place ? [mapSite(row, { latitude: place.latitude_deg, longitude: place.longitude_deg })] : [];
    });
  }, [places.data, rows]);
}

/** What cannot be loaded or drawn makes room for the map. */
class Guard extends Component<{ children: ReactNode; onFailure: () => void }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidCatch() {
    this.props.onFailure();
  }

  override render() {
    return this.state.failed ? null : this.props.children;
  }
}
