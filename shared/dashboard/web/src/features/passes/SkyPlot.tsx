// The way of a spacecraft over a station's sky, as one sees it lying on one's back: north is up, east right.
import { clockTime, parseTime } from "../../format/time";
import type { PassTrack } from "../../types";
import { onSky } from "./pass";

const RINGS = [0, 30, 60] as const;
const SIZE = 100;

export function SkyPlot({ track, now }: { track: PassTrack; now: number }) {
  const { pass, samples } = track;
  const line = samples.map(({ azimuth_deg, elevation_deg }) => point(azimuth_deg, elevation_deg)).join(" ");
  const here = samples.findLast(({ at }) => parseTime(at) <= now);
  const isUnderWay = here !== undefined && here !== samples.at(-1);
  const mask = (90 - pass.mask_deg) / 90;
  return (
    <svg className="sky" viewBox="-118 -118 236 236" role="img" aria-label={described(track)}>
      {RINGS.map((elevation) => (
        <g key={elevation}>
          <circle className="ring" r={((90 - elevation) / 90) * SIZE} />
          <text className="label" x={2} y={-((90 - elevation) / 90) * SIZE + 8}>
            {elevation}°
          </text>
        </g>
      ))}
      <circle className="mask" r={mask * SIZE} />
      <path className="ring" d={`M0 ${-SIZE}V${SIZE}M${-SIZE} 0H${SIZE}`} />
      {(["N", "E", "S", "W"] as const).map((name, quarter) => {
        const { x, y } = onSky(quarter * 90, 0);
        return (
          <text key={name} className="quarter" x={x * (SIZE + 9)} y={y * (SIZE + 9) + 4}>
            {name}
          </text>
        );
      })}
      <polyline className="way" points={line} />
      <Mark moment={pass.aos} text="AOS" />
      <Mark moment={pass.los} text="LOS" />
      {isUnderWay ? <Here azimuth={here.azimuth_deg} elevation={here.elevation_deg} /> : null}
    </svg>
  );
}

function Here({ azimuth, elevation }: { azimuth: number; elevation: number }) {
  const { x, y } = onSky(azimuth, elevation);
  return <circle className="here" cx={x * SIZE} cy={y * SIZE} r={5} />;
}

function Mark({ moment, text }: { moment: PassTrack["pass"]["aos"]; text: string }) {
  if (!moment) return null;
  const { x, y } = onSky(moment.azimuth_deg, moment.elevation_deg);
  return (
    <g>
      <circle className="edge" cx={x * SIZE} cy={y * SIZE} r={3} />
      <text className="label" x={x * SIZE + 5} y={y * SIZE - 4}>
        {text} {clockTime(parseTime(moment.at)).slice(0, 5)}
      </text>
    </g>
  );
}

function point(azimuth: number, elevation: number): string {
  const { x, y } = onSky(azimuth, elevation);
  return `${(x * SIZE).toFixed(1)},${(y * SIZE).toFixed(1)}`;
}

function described({ pass }: PassTrack): string {
  const way = (moment: PassTrack["pass"]["aos"]) =>
    moment ? `azimuth ${Math.round(moment.azimuth_deg)}°` : "out of the time looked at";
  return (
    `Sky over ${pass.site}: rises at ${way(pass.aos)}, culminates at ${Math.round(pass.elevation_max_deg)}° ` +
    `elevation in azimuth ${Math.round(pass.culmination.azimuth_deg)}°, sets at ${way(pass.los)}`
  );
}
