// What alarms are called on the page, which shape they have, and which comes first.
import { value as valueText } from "../../format/quantity";
import { clockTime, parseTime } from "../../format/time";
import type { Status } from "../../shell/StatusSymbol";
import type { Alarm, AlarmEntry, AlarmRung, AlarmSeverity, AlarmState, AlarmUsefulness } from "../../types";

/** From the least to the most severe. */
export const SEVERITIES: readonly AlarmSeverity[] = ["watch", "warning", "distress", "critical", "severe"];

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

/** As wide as all times there are, in milliseconds. */
const TIMES = 1e14;

/** Smaller comes first: what rings, then what is worse, then what is older. */
export function urgencyOf(alarm: Alarm): number {
  const step =
    (alarm.rings ? 0 : SEVERITIES.length) + SEVERITIES.length - SEVERITIES.indexOf(severityOf(alarm));
  const first = firstOf(alarm);
  return step * TIMES + (Number.isFinite(first) ? first : 0);
}

export function byUrgency(a: Alarm, b: Alarm): number {
  return urgencyOf(a) - urgencyOf(b) || (a.id < b.id ? -1 : 1);
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
    case "escalated":
      return `did not wait with ${rungText(fact)}`;
    case "judged":
      return `judged: ${USEFULNESS_WORDS[fact.usefulness] ?? fact.usefulness}`;
    case "moved":
      return `now ${fact.severity}`;
    case "raised":
      return `${fact.live ? "raised" : "found in late data"}: ${fact.severity}${causeText(fact.cause)}`;
    case "reached":
      return `the worst so far${fact.live ? "" : ", found in late data"}${causeText(fact.cause)}`;
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

/** `step 2 of usual`. */
export function rungText({ ladder, step, round }: Omit<AlarmRung, "notice">): string {
  return `step ${step} of ${ladder}${round === 0 ? "" : `, repeated for the ${ordinal(round)} time`}`;
}

function ordinal(number: number): string {
  const endings: Record<string, string> = { one: "st", two: "nd", few: "rd" };
  return `${number}${endings[ORDINALS.select(number)] ?? "th"}`;
}

const ORDINALS = new Intl.PluralRules("en", { type: "ordinal" });

export type Cause = NonNullable<Alarm["cause"]>;

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

/** Six significant digits, without zeros that say nothing; what is no finite number by its word. */
export function number(value: number): string {
  return Number.isFinite(value) ? Number(value.toPrecision(6)).toString() : valueText(value);
}

/** Which side of which limit or threshold it is on; empty when the detector names none. */
export function limitText(cause: Cause | null | undefined): string {
  const { threshold, seen, score } = cause ?? {};
  if (typeof threshold !== "number") return "";
  // A detector with a score has its threshold on the score, not on the value.
  const judged = typeof score === "number" ? score : seen;
  const side = typeof judged !== "number" ? "" : judged > threshold ? "above " : "below ";
  return `${typeof score === "number" ? "score " : ""}${side}${number(threshold)}`;
}

/** Where what is known of it comes from. */
export function originText(alarm: Alarm): string {
  return alarm.is_retrospective ? "late data" : "live";
}

const USEFULNESS_WORDS: Record<AlarmUsefulness, string> = {
  false: "false alarm",
  known: "known",
  true: "right",
};

/** What people said of a detection; two who did not see each other may have said different things. */
export function judgementText({ usefulness }: Alarm): string {
  const words = usefulness.map((said) => USEFULNESS_WORDS[said] ?? said);
  return words.length > 1 ? `disputed: ${words.join(" and ")}` : (words[0] ?? "");
}

/** Times are compared often, in lists of thousands; an alarm that changes comes as another object. */
const times = new WeakMap<Alarm, { first: number; since: number }>();

function timesOf(alarm: Alarm): { first: number; since: number } {
  const known = times.get(alarm);
  if (known !== undefined) return known;
  const first = parseTime(alarm.first);
  const read = { first, since: alarm.since ? parseTime(alarm.since) : first };
  times.set(alarm, read);
  return read;
}

/** Generation time of its first occurrence, Unix milliseconds. */
export function firstOf(alarm: Alarm): number {
  return timesOf(alarm).first;
}

/** When somebody first had something to do about it, Unix milliseconds. */
export function sinceOf(alarm: Alarm): number {
  return timesOf(alarm).since;
}

export interface Counts {
  open: number;
  unacknowledged: number;
  shelved: number;
  outOfService: number;
}

export function countsOf(alarms: Iterable<Alarm>): Counts {
  const counts = { open: 0, unacknowledged: 0, shelved: 0, outOfService: 0 };
  for (const alarm of alarms) {
    if (alarm.state !== "normal") counts.open += 1;
    if (alarm.rings) counts.unacknowledged += 1;
    if (alarm.state === "shelved") counts.shelved += 1;
    if (alarm.state === "out-of-service" || alarm.state === "suppressed-by-design") counts.outOfService += 1;
  }
  return counts;
}

/** A name for an act that nobody else has. `crypto.randomUUID` is missing on pages without TLS. */
export function newActId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
