// The one time of all panels: following the present, a fixed range, or a range that is played again.
import { type FormEvent, useId, useState } from "react";
import { clockTime, dateAndTime, parseTime } from "../format/time";
import {
  DEFAULT_MODE,
  type FixedMode,
  type ReplayMode,
  SPANS,
  SPEEDS,
  shifted,
  type TimeMode,
  type TimeWindow,
  zoomed,
} from "../time/mode";
import { type SetMode, useTime } from "../time/useTime";

const WORDS: Record<TimeMode["kind"], string> = { live: "LIVE", fixed: "FIXED", replay: "REPLAY" };

export function TimeBar() {
  const { mode, now, window, setMode } = useTime();
  const range = whole(window);
  const modes: [TimeMode["kind"], () => TimeMode][] = [
    ["live", () => (mode.kind === "live" ? mode : DEFAULT_MODE)],
    ["fixed", () => ({ kind: "fixed", ...range })],
    ["replay", () => ({ kind: "replay", ...range, speed: 1, at: null })],
  ];
  return (
    <section className={`time-bar ${mode.kind}`} aria-label="Time">
      <fieldset className="segments">
        <legend className="visually-hidden">Mode</legend>
        {modes.map(([kind, make]) => (
          <button
            key={kind}
            type="button"
            id={kind === "live" ? "time-live" : undefined}
            aria-pressed={mode.kind === kind}
            onClick={() => setMode(make())}
          >
            {WORDS[kind]}
          </button>
        ))}
      </fieldset>
      {mode.kind === "live" ? (
        <fieldset className="segments">
          <legend className="visually-hidden">Range</legend>
          {SPANS.map((span) => (
            <button
              key={span}
              type="button"
              aria-pressed={mode.span === span}
              onClick={() => setMode({ kind: "live", span })}
            >
              −{span.replace(/(\d+)(\w)/, "$1 $2")}
            </button>
          ))}
        </fieldset>
      ) : null}
      <fieldset className="segments">
        <legend className="visually-hidden">Move</legend>
        <button
          type="button"
          onClick={() => setMode(shifted(range, -0.5), true)}
          title="Half a range earlier ( [ )"
        >
          ← Earlier
        </button>
        <button
          type="button"
          aria-disabled={mode.kind === "live"}
          title={mode.kind === "live" ? "It already follows the present" : "Half a range later ( ] )"}
          onClick={() => mode.kind !== "live" && setMode(shifted(range, 0.5), true)}
        >
          Later →
        </button>
        <button type="button" onClick={() => setMode(zoomed(range, 2), true)} title="A longer range ( - )">
          <span aria-hidden="true">−</span>
          <span className="visually-hidden">Longer range</span>
        </button>
        <button type="button" onClick={() => setMode(zoomed(range, 0.5), true)} title="A shorter range ( + )">
          <span aria-hidden="true">+</span>
          <span className="visually-hidden">Shorter range</span>
        </button>
      </fieldset>
      {mode.kind === "live" ? (
        <span className="faint window-text">
          {dateAndTime(window.from)} – {sameDay(window) ? clockTime(window.to) : dateAndTime(window.to)}
        </span>
      ) : (
        <RangeFields
          key={`${mode.from} ${mode.to}`}
          window={window}
          onRange={(next) => setMode({ ...mode, ...next })}
        />
      )}
      {mode.kind === "replay" ? <Replay mode={mode} now={now} setMode={setMode} /> : null}
    </section>
  );
}

function sameDay({ from, to }: TimeWindow): boolean {
  return dateAndTime(from).slice(0, 10) === dateAndTime(to).slice(0, 10);
}

function whole({ from, to }: TimeWindow): TimeWindow {
  return { from: Math.round(from), to: Math.round(to) };
}

interface RangeFieldsProps {
  window: TimeWindow;
  onRange: (range: Omit<FixedMode, "kind"> & { at?: null }) => void;
}

/** Both ends as text, in UTC. */
function RangeFields({ window, onRange }: RangeFieldsProps) {
  const [from, setFrom] = useState(() => written(window.from));
  const [to, setTo] = useState(() => written(window.to));
  const problem = useId();
  const asked = { from: read(from), to: read(to) };
  const isRange = asked.to > asked.from;
  const isChanged = asked.from !== window.from || asked.to !== window.to;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isRange && isChanged) onRange({ ...asked, at: null });
  };
  return (
    <form className="range-fields" onSubmit={submit}>
      <label>
        <span className="faint">From</span>
        <input
          value={from}
          onChange={(event) => setFrom(event.target.value)}
          aria-invalid={!isRange}
          aria-describedby={problem}
          size={21}
          spellCheck={false}
        />
      </label>
      <label>
        <span className="faint">to</span>
        <input
          value={to}
          onChange={(event) => setTo(event.target.value)}
          aria-invalid={!isRange}
          aria-describedby={problem}
          size={21}
          spellCheck={false}
        />
      </label>
      {isChanged || !isRange ? (
        <button type="submit" aria-disabled={!isRange}>
          Show
        </button>
      ) : null}
      <span id={problem} className={isRange ? "visually-hidden" : "state serious"}>
        {isRange ? "" : "Two moments of UTC, the earlier one first: 2026-11-22 12:31:05Z"}
      </span>
    </form>
  );
}

function written(ms: number): string {
  return dateAndTime(Math.floor(ms / 1000) * 1000);
}

function read(text: string): number {
  return Math.round(parseTime(text.trim()));
}

interface ReplayProps {
  mode: ReplayMode;
  now: number;
  setMode: SetMode;
}

function Replay({ mode, now, setMode }: ReplayProps) {
  const isOver = now >= mode.to;
  const isPlaying = mode.at === null && !isOver;
  const toggle = () => {
    if (isPlaying) setMode({ ...mode, at: Math.round(now) });
    else if (isOver) setMode({ ...mode, at: mode.from });
    else setMode({ ...mode, at: null });
  };
  return (
    <>
      <button type="button" onClick={toggle}>
        {isPlaying ? "Pause" : isOver ? "To the beginning" : "Play"}
      </button>
      <fieldset className="segments">
        <legend className="visually-hidden">Speed</legend>
        {SPEEDS.map((speed) => (
          <button
            key={speed}
            type="button"
            aria-pressed={mode.speed === speed}
            onClick={() => setMode({ ...mode, speed })}
          >
            ×{speed}
          </button>
        ))}
      </fieldset>
      <input
        type="range"
        aria-label="Moment of the replay"
        aria-valuetext={dateAndTime(now)}
        min={mode.from}
        max={mode.to}
        step={1_000}
        value={now}
        onChange={(event) => setMode({ ...mode, at: Number(event.target.value) }, true)}
      />
      <time className="replay-now">{dateAndTime(now)}</time>
    </>
  );
}
