// What alarms are called on the page, which shape they have, and which comes first.
import { clockTime, parseTime } from "../../format/time";
import type { Status } from "../../shell/StatusSymbol";
import type { Alarm, AlarmEntry, AlarmSeverity, AlarmState } from "../../types";

const SEVERITIES: readonly AlarmSeverity[] = ["watch", "warning", "distress", "critical", "severe"];

const SEVERITY_STATUS: Record<AlarmSeverity, Status> = {
  watch: "caution",
  warning: "caution",
  distress: "serious",
  critical: "critical",
  severe: "critical",
};

const STATE_WORDS: Record<AlarmState, string> = {
  "active-acknowledged": "acknowledged",
  "active-unacknowledged": "unacknowledged",
  "cleared-unacknowledged": "over, unacknowledged",
  latched: "over, latched",
  normal: "closed",
  "out-of-service": "out of service",
  shelved: "shelved",
  "suppressed-by-design": "suppressed by design",
};

/** How bad it is, or was when it is over. */
export function severityOf(alarm: Alarm): AlarmSeverity {
  return alarm.severity ?? alarm.worst ?? "watch";
}

export function statusOf(severity: AlarmSeverity): Status {
  return SEVERITY_STATUS[severity] ?? "critical";
}

export function stateText(alarm: Alarm): string {
  const word = STATE_WORDS[alarm.state] ?? alarm.state;
  return alarm.state === "shelved" && alarm.shelved_until
    ? `${word} until ${clockTime(parseTime(alarm.shelved_until))}`
    : word;
}

/** What rings comes first, then what is worse, then what is older. */
export function byUrgency(a: Alarm, b: Alarm): number {
  const severity = (alarm: Alarm) => SEVERITIES.indexOf(severityOf(alarm));
  return (
    Number(b.rings) - Number(a.rings) ||
    severity(b) - severity(a) ||
    parseTime(a.first) - parseTime(b.first) ||
    (a.id < b.id ? -1 : 1)
  );
}

/** What an entry of a history tells, in words. */
export function factText({ fact }: AlarmEntry): string {
  switch (fact.kind) {
    case "acknowledged":
      return `acknowledged ${fact.notices.length === 1 ? "a notice" : `${fact.notices.length} notices`}`;
    case "assigned":
      return fact.to ? `assigned to ${fact.to}` : "assigned to nobody";
    case "cleared":
      return fact.live ? "over" : "over, found in late data";
    case "commented":
      return "commented";
    case "judged":
      return `judged: ${fact.usefulness}`;
    case "moved":
      return `now ${fact.severity}`;
    case "raised":
      return `${fact.live ? "raised" : "found in late data"}: ${fact.severity}${causeText(fact.cause)}`;
    case "reset":
      return "reset";
    case "restored":
      return "in service again";
    case "shelved":
      return `shelved until ${clockTime(parseTime(fact.until))}`;
    case "suppressed":
      return `${fact.suppression === "by-design" ? "suppressed by design" : "out of service"}, ${fact.order}`;
    case "unshelved":
      return "unshelved";
    case "worsened":
      return `worse: ${fact.severity}${causeText(fact.cause)}`;
  }
}

type Cause = NonNullable<Alarm["cause"]>;

/** What was seen against what was expected, as far as it is known. */
export function causeText({ seen, expected, threshold, score }: Cause): string {
  const parts = [
    typeof seen === "number" && `saw ${number(seen)}`,
    typeof expected === "number" && `expected ${number(expected)}`,
    typeof threshold === "number" && `threshold ${number(threshold)}`,
    typeof score === "number" && `score ${number(score)}`,
  ].filter((text) => text !== false);
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

function number(value: number): string {
  return Number(value.toPrecision(6)).toString();
}

/** A name for an act that nobody else has. `crypto.randomUUID` is missing on pages without TLS. */
export function newActId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
