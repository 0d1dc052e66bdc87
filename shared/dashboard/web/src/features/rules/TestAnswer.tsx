// What came of a test message.
import { Failure } from "../../shell/Notice";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { AlarmDelivery } from "../../types";

interface Props {
  answer: AlarmDelivery | undefined;
  error: unknown;
}

export function TestAnswer({ answer, error }: Props) {
  if (error !== null) return <Failure error={error} />;
  if (answer === undefined) return null;
  const isSent = answer.state === "sent";
  return (
    <p className={isSent ? "notice" : "notice serious"} role="status">
      <StatusSymbol status={isSent ? "normal" : "serious"} />
      <span>
        Test to <bdi>{answer.contact}</bdi> by {answer.channel}:{" "}
        {isSent ? "taken by the other side." : answer.state}{" "}
        <bdi className="faint">{answer.problem ?? answer.answer ?? ""}</bdi>
      </span>
    </p>
  );
}
