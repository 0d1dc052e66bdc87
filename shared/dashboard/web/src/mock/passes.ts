// One spacecraft on a circle over the poles, and two stations that hear it: enough for the pages about orbits.
import type { GroundTracks, OrbitElements, Pass, Passes, PassTrack, TrackPoint } from "../types";
import { type MockRoute, problem, stateOf } from "./answers";
import { iso, type MockWorld } from "./world";

const PERIOD_MS = 97 * 60_000;
const LENGTH_MS = 10 * 60_000;
const STATIONS = [
  { station: "svalbard-1", site: "Svalbard", delay: 0 },
  { station: "troll-1", site: "Troll", delay: 48 * 60_000 },
];
const EARTH_KM = 6_371;
const HEIGHT_KM = 600;

const elementsOf = stateOf((world): { answer: OrbitElements } => ({
  answer: {
    at: iso(world.now()),
    spacecraft: [
      {
        spacecraft: "aurora-1",
        catalog_number: 99001,
        designator: "2024-001A",
        epoch: iso(world.now() - 9 * 24 * 3_600_000),
        age_s: 9 * 24 * 3_600,
        warning: "the elements are older than 7 days",
        format: "tle",
        text: "1 99001U 24001A   26317.50000000  .00000000  00000-0  00000-0 0  9990\n2 99001  98.0000   0.0000 0001000   0.0000   0.0000 14.84000000    10",
        imported_at: iso(world.now() - 8 * 24 * 3_600_000),
        imported_by: "kari",
        versions: 3,
      },
    ],
  },
}));

export const answerPasses: MockRoute = ({ world, method, url, path, body }) => {
  const [missions, mission, what, id, track] = path;
  if (missions !== "missions" || !["elements", "passes", "track"].includes(what ?? "")) return null;
  const isKnown = mission === "aurora-1";
  if (what === "elements") {
    if (method === "PUT") {
      const { text } = JSON.parse(body ?? "{}");
      const [one] = elementsOf(world).answer.spacecraft;
      if (!/^1 .*\n2 /.test(text) || one === undefined)
        return problem(400, "STO-ORBIT-ELEMENTS", "The elements are not taken", "Line 1 has no checksum.");
      elementsOf(world).answer = {
        at: iso(world.now()),
        spacecraft: [
          { ...one, text, epoch: iso(world.now()), age_s: 0, warning: null, versions: one.versions + 1 },
        ],
      };
    }
    return Response.json(isKnown ? elementsOf(world).answer : { at: iso(world.now()), spacecraft: [] });
  }
  const from = Date.parse(url.searchParams.get("from") ?? "");
  const to = Date.parse(url.searchParams.get("to") ?? "");
  if (what === "track")
    return Response.json(tracks(world, from, to, Number(url.searchParams.get("step_s") ?? 60)));
  if (id === undefined) {
    const stations = url.searchParams.getAll("station");
    const isAsked = (pass: Pass) => stations.length === 0 || stations.includes(pass.station);
    const answer: Passes = {
      at: iso(world.now()),
      from: iso(from),
      to: iso(to),
      passes: isKnown ? passesOf(world, from, to).filter(isAsked) : [],
      next: null,
      left_out: isKnown
        ? [{ station: "awarua-2", spacecraft: null, reason: "nobody has said where its site is" }]
        : [],
    };
    return Response.json(answer);
  }
  const found = passesOf(world, world.now() - 40 * PERIOD_MS, world.now() + 40 * PERIOD_MS).find(
    (p) => p.id === id,
  );
  if (found === undefined || track !== "track")
    return problem(404, "STO-ORBIT-PASS-UNKNOWN", "There is no such pass", "Ids are in the list of passes.");
  return Response.json(trackOf(found));
};

function passesOf(world: MockWorld, from: number, to: number): Pass[] {
  const found: Pass[] = [];
  for (const { station, site, delay } of STATIONS)
    for (let n = Math.floor((from - delay) / PERIOD_MS); n * PERIOD_MS + delay < to; n += 1) {
      const rises = n * PERIOD_MS + delay;
      if (rises + LENGTH_MS <= from) continue;
      const moment = (ms: number, azimuth_deg: number, elevation_deg: number) => ({
        at: iso(ms),
        azimuth_deg,
        elevation_deg,
      });
      const now = world.now();
      found.push({
        id: `${station}-${n}`,
        spacecraft: "aurora-1",
        station,
        site,
        aos: moment(rises, 350, 5),
        culmination: moment(rises + LENGTH_MS / 2, 80, 47),
        los: moment(rises + LENGTH_MS, 170, 5),
        elevation_max_deg: 47,
        mask_deg: 5,
        duration_s: LENGTH_MS / 1000,
        phase: now < rises ? "to-come" : now < rises + LENGTH_MS ? "under-way" : "past",
        elements_epoch: iso(now - 9 * 24 * 3_600_000),
        elements_age_s: 9 * 24 * 3_600,
        received: now < rises ? null : { records: 1_200 * (1 + (n % 3)), bytes: 64_000 * (1 + (n % 3)) },
      });
    }
  return found.toSorted((a, b) => a.culmination.at.localeCompare(b.culmination.at));
}

function trackOf(pass: Pass): PassTrack {
  const begins = Date.parse(pass.aos?.at ?? "");
  return {
    pass,
    samples: Array.from({ length: 61 }, (_, step) => {
      const part = step / 60;
      return {
        at: iso(begins + part * LENGTH_MS),
        azimuth_deg: 350 - 180 * (1 - part) + 0,
        elevation_deg: 5 + 42 * Math.sin(Math.PI * part),
        range_km: 2_300 - 1_500 * Math.sin(Math.PI * part),
        range_rate_km_s: -6 * Math.cos(Math.PI * part),
        sunlit: part < 0.75,
      };
    }),
  };
}

function tracks(world: MockWorld, from: number, to: number, step: number): GroundTracks {
  const times = Array.from(
    { length: Math.floor((to - from) / (step * 1000)) + 1 },
    (_, n) => from + n * step * 1000,
  );
  return {
    at: iso(world.now()),
    from: iso(from),
    to: iso(to),
    step_s: step,
    sun: times.map((ms) => ({
      at: iso(ms),
      latitude_deg: -20,
      longitude_deg: 180 - ((ms / 240_000) % 360),
      sidereal_deg: (ms / 239_345) % 360,
    })),
    spacecraft: [
      {
        spacecraft: "aurora-1",
        epoch: iso(world.now() - 9 * 24 * 3_600_000),
        age_s: 9 * 24 * 3_600,
        warning: null,
        points: times.map(pointAt),
      },
    ],
  };
}

function pointAt(ms: number): TrackPoint {
  const phase = ((ms % PERIOD_MS) / PERIOD_MS) * 2 * Math.PI;
  const latitude = Math.asin(0.99 * Math.sin(phase));
  const around = Math.cos(phase) < 0 ? Math.PI : 0;
  const longitude = around - (ms / 86_164_000) * 2 * Math.PI;
  const radius = EARTH_KM + HEIGHT_KM;
  return {
    at: iso(ms),
    latitude_deg: (latitude * 180) / Math.PI,
    longitude_deg: (((((longitude * 180) / Math.PI + 180) % 360) + 360) % 360) - 180,
    height_km: HEIGHT_KM,
    position_km: [
      radius * Math.cos(latitude) * Math.cos(longitude),
      radius * Math.cos(latitude) * Math.sin(longitude),
      radius * Math.sin(latitude),
    ],
    sunlit: Math.cos(phase) > -0.4,
  };
}
