// Passes as bars in lanes, with what was received inside each.
import { memo } from "react";
import { clockTime, dateAndTime, parseTime } from "../../format/time";
import type { TimeWindow } from "../../time/mode";
import type { Pass } from "../../types";
import { type Lane, phaseAt, placeIn } from "./pass";

const TICKS = 6;

interface Props {
  lanes: readonly Lane[];
  window: TimeWindow;
  now: number;
  conflicts: ReadonlySet<string>;
  selected: string | null;
  onSelect: (pass: string) => void;
}

export const Timeline = memo(function Timeline({ lanes, window, now, conflicts, selected, onSelect }: Props) {
  const most = Math.max(
    1,
    ...lanes.flatMap(({ passes }) => passes.map(({ received }) => received?.bytes ?? 0)),
  );
  const at = ((now - window.from) / (window.to - window.from)) * 100;
  return (
    <section className="panel timeline" aria-label="Passes as bars; the same is listed below">
      <div className="lane axis" aria-hidden="true">
        <span />
        <div className="track">
          {Array.from({ length: TICKS }, (_, tick) => {
            const time = window.from + ((window.to - window.from) * tick) / TICKS;
            return (
              <span key={time} className="tick" style={{ left: `${(tick / TICKS) * 100}%` }}>
                {tick === 0 ? dateAndTime(time).slice(5, 16) : clockTime(time).slice(0, 5)}
              </span>
            );
          })}
        </div>
      </div>
      {lanes.map(({ name, passes }) => (
        <div key={name} className="lane">
          <span className="lane-name" title={name}>
            <bdi>{name}</bdi>
          </span>
          <div className="track">
            {passes.map((pass) => (
              <Bar
                key={pass.id}
                pass={pass}
                window={window}
                now={now}
                most={most}
                inConflict={conflicts.has(pass.id)}
                isSelected={pass.id === selected}
                onSelect={onSelect}
              />
            ))}
            {at >= 0 && at <= 100 ? <span className="now" style={{ left: `${at}%` }} /> : null}
          </div>
        </div>
      ))}
    </section>
  );
});

interface BarProps {
  pass: Pass;
  window: TimeWindow;
  now: number;
  most: number;
  inConflict: boolean;
  isSelected: boolean;
  onSelect: (pass: string) => void;
}

function Bar({ pass, window, now, most, inConflict, isSelected, onSelect }: BarProps) {
  const { left, width } = placeIn(pass, window);
  if (width === 0) return null;
  const phase = phaseAt(pass, now);
  const filled = phase === "to-come" ? 0 : ((pass.received?.bytes ?? 0) / most) * 100;
  return (
    <button
      type="button"
      className={`pass ${phase}${inConflict ? " conflict" : ""}`}
      style={{ left: `${left}%`, width: `max(6px, ${width}%)` }}
      aria-pressed={isSelected}
      aria-label={`${pass.spacecraft} over ${pass.site}, ${pass.aos ? clockTime(parseTime(pass.aos.at)) : "in view"}, up to ${Math.round(pass.elevation_max_deg)}°${inConflict ? ", in conflict" : ""}`}
      title={`${pass.spacecraft} · ${pass.site} · up to ${Math.round(pass.elevation_max_deg)}°`}
      onClick={() => onSelect(pass.id)}
    >
      <span className="received" style={{ height: `${filled}%` }} />
    </button>
  );
}
