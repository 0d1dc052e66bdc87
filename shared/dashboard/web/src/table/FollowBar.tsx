// Holds a growing list still, and says how much came meanwhile.
import { count } from "../format/quantity";
import { clockTime } from "../format/time";

interface Props {
  heldSince: number | null;
  fresh: number;
  onHold: () => void;
  onFollow: () => void;
}

export function FollowBar({ heldSince, fresh, onHold, onFollow }: Props) {
  if (heldSince === null)
    return (
      <button type="button" onClick={onHold}>
        Pause
      </button>
    );
  return (
    <span className="follow-bar">
      <strong>PAUSED</strong>
      <span className="faint">since {clockTime(heldSince)}</span>
      <button type="button" className="chip-button" onClick={onFollow}>
        <output>{count(fresh)} new</output> · Follow
      </button>
    </span>
  );
}
