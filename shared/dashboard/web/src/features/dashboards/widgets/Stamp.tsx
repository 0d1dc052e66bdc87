// When a value was generated and how old it is at the time shown; a stale one says so.
import { age as ageText, clockTime, dateAndTime } from "../../../format/time";
import type { Freshness } from "../../../telemetry/freshness";
import type { Lack } from "../../../telemetry/values";

const DAY_MS = 24 * 3_600_000;

interface Props {
  shown: Freshness | null;
  lack: Lack;
}

export function Stamp({ shown, lack }: Props) {
  if (shown === null)
    return <span className="stamp faint">{lack === "no sample" ? "nothing received yet" : ""}</span>;
  const { generatedAt, age, stale } = shown;
  return (
    <span className={`stamp ${stale ? "old" : "faint"}`}>
      <time title={new Date(generatedAt).toISOString()}>
        {Math.abs(age) < DAY_MS / 2 ? clockTime(generatedAt) : dateAndTime(generatedAt)}
      </time>{" "}
      · {ageText(age)}
      {stale ? " · stale" : ""}
    </span>
  );
}
