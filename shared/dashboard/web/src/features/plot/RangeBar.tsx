// Chooses how much time the plot shows, and whether it follows the present.
import { dateAndTime } from "../../format/time";
import { RANGE_MS, RANGES, type Range, type TimeWindow } from "./range";

interface Props {
  window: TimeWindow;
  range: Range;
  end: number | null;
  onRange: (range: Range) => void;
  onEnd: (end: number | null) => void;
}

const NAMES: Record<Range, string> = {
  "5m": "5 min",
  "15m": "15 min",
  "1h": "1 h",
  "6h": "6 h",
  "24h": "24 h",
};

export function RangeBar({ window: shown, range, end, onRange, onEnd }: Props) {
  const half = RANGE_MS[range] / 2;
  return (
    <div className="range-bar">
      <fieldset className="segments">
        <legend className="visually-hidden">Range</legend>
        {RANGES.map((name) => (
          <button key={name} type="button" aria-pressed={name === range} onClick={() => onRange(name)}>
            {NAMES[name]}
          </button>
        ))}
      </fieldset>
      <fieldset className="segments">
        <legend className="visually-hidden">Window</legend>
        <button type="button" onClick={() => onEnd(Math.round(shown.to - half))}>
          ← Earlier
        </button>
        <button
          type="button"
          aria-disabled={end === null}
          title={end === null ? "The plot already follows the present" : undefined}
          onClick={() => end !== null && onEnd(Math.round(end + half))}
        >
          Later →
        </button>
        <button type="button" aria-pressed={end === null} onClick={() => onEnd(null)}>
          Live
        </button>
      </fieldset>
      <span className="faint window-text">
        <strong>{end === null ? "LIVE" : "FIXED"}</strong> {dateAndTime(shown.from)} – {dateAndTime(shown.to)}
      </span>
    </div>
  );
}
