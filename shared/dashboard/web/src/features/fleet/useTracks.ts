// Ground tracks of one mission, or of the first ones, around a moment; and where the Sun is then.
import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { explain } from "../../api/client";
import { tracksAroundQuery } from "../../api/fleet";
import { missionsQuery } from "../../api/queries";
import { parseTime } from "../../format/time";
import type { GroundTracks, SpacecraftTrack } from "../../types";
import type { MapTrack } from "./map/useLayers";
import type { Place } from "./map/view";

/** Tracks of more missions at a time are asked for by choosing one. */
const MISSIONS_MAX = 8;

export interface Tracks {
  missions: readonly string[];
  shown: readonly MapTrack[];
  sun: Place | null;
  /** Why a track is missing, or not to be relied on. */
  problems: readonly string[];
}

interface Known {
  mission: string;
  answer: GroundTracks;
}

export function useTracks(mission: string | null, now: number): Tracks {
  const missions = useQuery(missionsQuery);
  const names = missions.data?.map(({ name }) => name) ?? [];
  const asked = mission === null ? names.slice(0, MISSIONS_MAX) : [mission];
  const answers = useQueries({ queries: asked.map((name) => tracksAroundQuery(name, now)) });
  const known: Known[] = answers.flatMap(({ data }, index) =>
    data === undefined ? [] : [{ mission: asked[index] ?? "", answer: data }],
  );
  // Answers are new lists at each frame; this names what is in them.
  const key = known.map((one) => `${one.mission} ${one.answer.from} ${one.answer.at}`).join();
  const minute = Math.floor(now / 60_000) * 60_000;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` names the answers.
  const shown = useMemo(() => known.flatMap(mapTracks), [key]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` names the answers.
  const sun = useMemo(() => sunAt(known[0]?.answer, minute), [key, minute]);
  const problems = [
    ...answers.flatMap(({ error }, index) => (error ? [`${asked[index]}: ${explain(error).detail}`] : [])),
    ...known.flatMap(({ mission: name, answer }) =>
      answer.spacecraft.flatMap((craft) => warningOf(name, craft)),
    ),
  ];
  return { missions: names, shown, sun, problems };
}

function warningOf(mission: string, { spacecraft, warning }: SpacecraftTrack): string[] {
  return warning ? [`${mission}, ${spacecraft}: ${warning}`] : [];
}

function mapTracks({ mission, answer }: Known): MapTrack[] {
  return answer.spacecraft.map(({ spacecraft: name, points }) => ({
    id: `${mission}/${name}`,
    name,
    points: points.map((point) => ({
      at: parseTime(point.at),
      latitude: point.latitude_deg,
      longitude: point.longitude_deg,
      heightKm: point.height_km,
      sunlit: point.sunlit,
    })),
  }));
}

function sunAt(answer: GroundTracks | undefined, now: number): Place | null {
  const points = answer?.sun ?? [];
  const nearest = points.find((point) => parseTime(point.at) >= now) ?? points.at(-1);
  return nearest === undefined ? null : { latitude: nearest.latitude_deg, longitude: nearest.longitude_deg };
}
