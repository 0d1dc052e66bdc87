// Who is told of an alarm next, and the button of who does not want to wait.
import { duration, parseTime } from "../../format/time";
import type { AlarmAct, AlarmHistory } from "../../types";
import { Act } from "./Act";
import { rungText } from "./alarm";

interface Props {
  /** Nothing where no ladders are climbed. */
  escalation: AlarmHistory["escalation"];
  serverNow: number;
  /** Why nothing can be done; `null` when it can. */
  refusal: string | null;
  onAct: (act: AlarmAct) => void;
}

export function Escalate({ escalation, serverNow, refusal, onAct }: Props) {
  const next = escalation?.next ?? null;
  const why = refusal ?? (next === null ? whyNot(escalation) : null);
  return (
    <>
      <Act
        text="Escalate now"
        refusal={why}
        onAct={() => next !== null && onAct({ escalate: { rung: next.rung } })}
      />
      {next === null ? null : (
        <span className="faint">
          next: <bdi>{`${rungText(next.rung)} to ${next.contacts.join(", ") || "nobody"}`}</bdi>, in{" "}
          {duration(Math.max(0, parseTime(next.due) - serverNow))}
        </span>
      )}
    </>
  );
}

function whyNot(escalation: Props["escalation"]): string {
  if (!escalation) return "Only the hub tells people: escalate there.";
  const reason = escalation.ended ?? "there is no further step";
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
}
