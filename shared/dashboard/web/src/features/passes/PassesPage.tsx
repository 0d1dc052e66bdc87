// When stations hear the mission's spacecraft: bars, the sky of one pass, and the list.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { PASSES_SPAN_MS_MAX, passesQuery } from "../../api/passes";
import { wholeDuration } from "../../format/time";
import { Failure, Loading } from "../../shell/Notice";
import { useTime } from "../../time/useTime";
import type { Pass } from "../../types";
import { ChosenPass } from "./ChosenPass";
import { Elements } from "./Elements";
import { PassTable } from "./PassTable";
import "./passes.css";
import { askedSpan, conflicts, countdown, type LaneBy, lanes, nextPass } from "./pass";
import { Timeline } from "./Timeline";

const NONE: readonly Pass[] = [];

export interface PassesPageProps {
  mission: string;
  by: LaneBy;
  selected: string | null;
  onBy: (by: LaneBy) => void;
  onSelect: (pass: string | null) => void;
}

export function PassesPage({ mission, by, selected, onBy, onSelect }: PassesPageProps) {
  const { mode, now } = useTime();
  // Of up to a thousand passes nothing is worked out or drawn oftener than it can be told apart.
  const second = Math.floor(now / 1000) * 1000;
  const span = useMemo(() => askedSpan(mode, second), [mode, second]);
  const isTooLong = span.to - span.from > PASSES_SPAN_MS_MAX;
  const answer = useQuery({ ...passesQuery(mission, span.from, span.to), enabled: !isTooLong });
  const passes = answer.data?.passes ?? NONE;
  const inConflict = useMemo(() => conflicts(passes), [passes]);
  const inLanes = useMemo(() => lanes(passes, by), [passes, by]);
  const next = useMemo(() => nextPass(passes, second), [passes, second]);
  return (
    <>
      <header className="page-head">
        <h1>Passes</h1>
        <fieldset className="segments">
          <legend className="visually-hidden">Lanes</legend>
          {(["station", "spacecraft"] as const).map((name) => (
            <button key={name} type="button" aria-pressed={by === name} onClick={() => onBy(name)}>
              By {name}
            </button>
          ))}
        </fieldset>
        {next === null ? null : (
          <output className="next-pass">
            <bdi>{next.spacecraft}</bdi> over <bdi>{next.site}</bdi>:{" "}
            <strong>{countdown(next, now, wholeDuration)}</strong>
          </output>
        )}
      </header>
      {isTooLong ? (
        <p className="empty">Passes are told of at most 31 days. Choose a shorter range above.</p>
      ) : answer.data === undefined ? (
        answer.isError ? (
          <Failure error={answer.error} onRetry={() => void answer.refetch()} />
        ) : (
          <Loading what="passes" />
        )
      ) : (
        <>
          {answer.isError ? <Failure error={answer.error} onRetry={() => void answer.refetch()} /> : null}
          {answer.data.left_out.map(({ station, spacecraft, reason }) => (
            <p key={`${station} ${spacecraft}`} className="notice caution" role="note">
              <span>
                <strong>
                  <bdi>{station ?? spacecraft}</bdi>
                </strong>{" "}
                is left out: {reason}
              </span>
            </p>
          ))}
          {passes.length === 0 ? (
            <p className="empty">No station hears a spacecraft of this mission in this time.</p>
          ) : (
            <Timeline
              lanes={inLanes}
              window={span}
              now={second}
              conflicts={inConflict}
              selected={selected}
              onSelect={onSelect}
            />
          )}
          {answer.data.next ? (
            <p className="faint">Only the first {passes.length} passes are shown: choose a shorter range.</p>
          ) : null}
          {selected === null ? null : (
            <ChosenPass mission={mission} pass={selected} now={now} onClose={() => onSelect(null)} />
          )}
          <PassTable
            passes={passes}
            now={second}
            conflicts={inConflict}
            selected={selected}
            onSelect={onSelect}
          />
        </>
      )}
      <Elements mission={mission} />
    </>
  );
}
