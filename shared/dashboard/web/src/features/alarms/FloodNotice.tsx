// Says how many alarms come, and that they can be read by cause when they are too many to be read one by one.
import { count } from "../../format/quantity";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { Rates } from "./flood";

interface Props {
  rates: Rates;
  isGrouped: boolean;
  onGroup: () => void;
}

export function FloodNotice({ rates, isGrouped, onGroup }: Props) {
  if (!rates.isFlood && !isGrouped) return null;
  return (
    <p className={rates.isFlood ? "notice serious" : "notice"} role="status">
      {rates.isFlood ? <StatusSymbol status="serious" /> : null}
      <span>
        {rates.isFlood ? <strong>Flood of alarms. </strong> : null}
        {count(rates.recent)} new within 10 minutes, {count(rates.perHour)} within the last hour.
      </span>
      {isGrouped ? null : (
        <button type="button" onClick={onGroup}>
          Show by cause
        </button>
      )}
    </p>
  );
}
