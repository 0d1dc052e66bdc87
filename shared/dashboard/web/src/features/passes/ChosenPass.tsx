// One pass: its way over the sky, its figures, and what was received, a link away.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { passTrackQuery } from "../../api/passes";
import { dateAndTime, duration, parseTime } from "../../format/time";
import { Failure, Loading } from "../../shell/Notice";
import { writeMode } from "../../time/mode";
import type { Pass } from "../../types";
import { received } from "./PassTable";
import { countdown, spanOf } from "./pass";
import { SkyPlot } from "./SkyPlot";

interface Props {
  mission: string;
  pass: string;
  now: number;
  onClose: () => void;
}

export function ChosenPass({ mission, pass, now, onClose }: Props) {
  const track = useQuery(passTrackQuery(mission, pass));
  return (
    <section className="panel chosen-pass" aria-label="Chosen pass">
      <button type="button" className="quiet close" onClick={onClose}>
        Close
      </button>
      {track.data === undefined ? (
        track.isError ? (
          <Failure error={track.error} onRetry={() => void track.refetch()} />
        ) : (
          <Loading what="pass" />
        )
      ) : (
        <>
          <SkyPlot track={track.data} now={now} />
          <Figures
            mission={mission}
            pass={track.data.pass}
            now={now}
            sunlit={sunlitPart(track.data.samples)}
          />
        </>
      )}
    </section>
  );
}

function sunlitPart(samples: readonly { sunlit: boolean }[]): number {
  return samples.length === 0 ? 0 : samples.filter(({ sunlit }) => sunlit).length / samples.length;
}

function Figures({
  mission,
  pass,
  now,
  sunlit,
}: {
  mission: string;
  pass: Pass;
  now: number;
  sunlit: number;
}) {
  const { from, to } = spanOf(pass);
  const isBounded = Number.isFinite(from) && Number.isFinite(to);
  const rows: [string, string][] = [
    [
      "AOS",
      pass.aos ? `${dateAndTime(parseTime(pass.aos.at))}, azimuth ${pass.aos.azimuth_deg.toFixed(1)}°` : "–",
    ],
    [
      "Highest",
      `${dateAndTime(parseTime(pass.culmination.at))}, ${pass.elevation_max_deg.toFixed(1)}° in azimuth ${pass.culmination.azimuth_deg.toFixed(1)}°`,
    ],
    [
      "LOS",
      pass.los ? `${dateAndTime(parseTime(pass.los.at))}, azimuth ${pass.los.azimuth_deg.toFixed(1)}°` : "–",
    ],
    ["Above", `${pass.mask_deg}° elevation`],
    ["In sunlight", `${Math.round(sunlit * 100)} % of it`],
    ["Received", received(pass)],
    [
      "Elements",
      `of ${dateAndTime(parseTime(pass.elements_epoch))}, ${duration(Math.abs(pass.elements_age_s) * 1000)} away`,
    ],
  ];
  return (
    <div>
      <h2>
        <bdi>{pass.spacecraft}</bdi> over <bdi>{pass.site}</bdi>
      </h2>
      <p className="state">{countdown(pass, now, duration) ?? "over"}</p>
      <dl className="figures">
        {rows.map(([name, text]) => (
          <div key={name}>
            <dt className="faint">{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      {isBounded ? (
        <p>
          <Link
            to="/m/$mission/explore"
            params={{ mission }}
            search={{ t: writeMode({ kind: "fixed", from: Math.round(from), to: Math.round(to) }) }}
          >
            Explore this pass
          </Link>
          {" · "}
          <Link
            to="/m/$mission/packets"
            params={{ mission }}
            search={{ t: writeMode({ kind: "fixed", from: Math.round(from), to: Math.round(to) }) }}
          >
            its packets
          </Link>
          {" · "}
          <Link
            to="/m/$mission/parameters"
            params={{ mission }}
            search={{
              t: writeMode({
                kind: "replay",
                from: Math.round(from),
                to: Math.round(to),
                speed: 5,
                at: null,
              }),
            }}
          >
            replay it
          </Link>
        </p>
      ) : null}
    </div>
  );
}
