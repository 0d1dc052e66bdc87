// When a value was generated and how old it is at the time shown; a stale one says so.
import { age, clockTime, dateAndTime } from "../../../format/time";
import type { Shown } from "../../../telemetry/values";

const DAY_MS = 24 * 3_600_000;

export function Stamp({ shown }: { shown: Shown | null }) {
  if (shown === null) return <span className="stamp faint">nothing received yet</span>;
  const { generatedAt, stale } = shown;
  return (
    <span className={`stamp ${stale ? "old" : "faint"}`}>
      <time title={shown.sample.generation_time}>
        {Math.abs(shown.age) < DAY_MS / 2 ? clockTime(generatedAt) : dateAndTime(generatedAt)}
      </time>{" "}
      · {age(shown.age)}
      {stale ? " · stale" : ""}
    </span>
  );
}
