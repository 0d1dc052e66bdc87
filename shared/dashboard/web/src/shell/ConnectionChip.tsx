// Says at all times whether what is on the screen is current.
import { plural } from "../format/quantity";
import { clockTime, duration, wholeDuration } from "../format/time";
import type { Health } from "../live/connection";
import { type Status, StatusSymbol } from "./StatusSymbol";

const SYMBOLS: Record<Health["state"], Status> = { live: "normal", offline: "off", reconnecting: "serious" };

interface Props {
  health: Health;
  /** Samples that were left out because this browser was too slow. */
  dropped: number;
}

export function ConnectionChip({ health, dropped }: Props) {
  return (
    <span
      className={`chip ${health.state}`}
      role="status"
      data-testid="connection-chip"
      data-state={health.state}
      title={droppedText(dropped)}
    >
      <StatusSymbol status={SYMBOLS[health.state]} />
      {/* The ticking text is for the eyes; ears get the change only. */}
      <span aria-hidden="true">{chipText(health)}</span>
      <span className="visually-hidden">{spokenText(health)}</span>
    </span>
  );
}

function droppedText(dropped: number): string | undefined {
  if (dropped === 0) return undefined;
  return `This browser was too slow for ${plural(dropped, "sample")} since the page was opened. Newest values are right, and the archive has them all: plots read them from there.`;
}

export function chipText(health: Health): string {
  switch (health.state) {
    case "live":
      return `live · ${duration(health.age)}`;
    case "offline":
      return health.downFor === null
        ? "offline"
        : `offline ${wholeDuration(health.downFor)}${frozen(health.frozenAt)}`;
    case "reconnecting":
      return health.frozenAt === null
        ? `connecting ${wholeDuration(health.downFor)}`
        : `reconnecting ${wholeDuration(health.downFor)}${frozen(health.frozenAt)}`;
  }
}

function spokenText(health: Health): string {
  if (health.state === "live") return "Connection is live.";
  const word = health.state === "offline" ? "Connection is offline" : "Connection is being made";
  return health.frozenAt === null
    ? `${word}.`
    : `${word}. Values are frozen at ${clockTime(health.frozenAt)}.`;
}

function frozen(at: number | null): string {
  return at === null ? "" : ` - values frozen at ${clockTime(at)}`;
}
