// The ranges of one condition, a row for each severity.
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { AlarmSeverity } from "../../types";
import { SEVERITIES, statusOf } from "../alarms/alarm";
import type { ContextDraft, RangeDraft } from "./draft";

interface Props {
  context: ContextDraft;
  isOnly: boolean;
  onContext: (context: ContextDraft) => void;
  onRemove: () => void;
}

export function ContextFields({ context, isOnly, onContext, onRemove }: Props) {
  const range = (severity: AlarmSeverity, part: Partial<RangeDraft>) => {
    const known = context.ranges[severity] ?? { low: "", high: "" };
    onContext({ ...context, ranges: { ...context.ranges, [severity]: { ...known, ...part } } });
  };
  return (
    <div className="limit-context">
      {isOnly && context.context === "" ? null : (
        <div className="acts">
          <label className="field">
            <span className="faint">While (empty: always)</span>
            <input
              value={context.context}
              placeholder="MODE=SAFE; GAIN>=4"
              maxLength={1000}
              onChange={(event) => onContext({ ...context, context: event.target.value })}
            />
          </label>
          {isOnly ? null : (
            <button type="button" className="quiet" onClick={onRemove}>
              Remove these
            </button>
          )}
        </div>
      )}
      <table className="limit-ranges">
        <thead>
          <tr>
            <th scope="col">Severity</th>
            <th scope="col">Good from</th>
            <th scope="col">to</th>
          </tr>
        </thead>
        <tbody>
          {SEVERITIES.map((severity) => (
            <tr key={severity}>
              <th scope="row">
                <StatusSymbol status={statusOf(severity)} /> {severity}
              </th>
              {(["low", "high"] as const).map((side) => (
                <td key={side}>
                  <input
                    className="number"
                    inputMode="decimal"
                    aria-label={`${severity} ${side === "low" ? "from" : "to"}`}
                    value={context.ranges[severity]?.[side] ?? ""}
                    placeholder="not limited"
                    onChange={(event) => range(severity, { [side]: event.target.value })}
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
