// For how long an alarm may be silent. Never without end, and for more than an hour only with a reason.
import { clockTime, dateAndTime } from "../../format/time";
import type { Pass } from "../../types";
import { nextPass, phaseAt, spanOf } from "../passes/pass";

export const SHELVINGS = [
  { minutes: 15, text: "15 min" },
  { minutes: 30, text: "30 min" },
  { minutes: 60, text: "1 h" },
  { minutes: 120, text: "2 h" },
  { minutes: 240, text: "4 h" },
  { minutes: 480, text: "8 h" },
] as const;
/** For so many minutes, or until the pass that is under way or comes next is over. */
export type Shelving = number | "pass";

export const USUAL_MINUTES = 120;
/** For longer the server wants a note. */
const WITHOUT_NOTE_MS = 60 * 60_000;
/** The server shelves for no longer. */
const LONGEST_MS = 8 * 3_600_000;

/** When the pass is over, and whose it is; or why that is not known. */
export type PassEnd = { until: number; text: string } | { refusal: string };

export function passEnd(passes: readonly Pass[], now: number): PassEnd {
  const pass = nextPass(passes, now);
  if (pass === null) return { refusal: "No pass is known within the next 24 h." };
  const until = spanOf(pass).to;
  const which = `${phaseAt(pass, now) === "under-way" ? "pass" : "next pass"} of ${pass.spacecraft} over ${pass.site}`;
  if (!Number.isFinite(until)) return { refusal: `The ${which} has no end.` };
  if (until - now > LONGEST_MS)
    return { refusal: `The ${which} ends at ${dateAndTime(until)}; an alarm is shelved for 8 h at most.` };
  return { until, text: which };
}

/** When it would ring again; `null` when that is not known. */
export function shelvedUntil(shelving: Shelving, end: PassEnd, serverNow: number): number | null {
  if (shelving !== "pass") return serverNow + shelving * 60_000;
  return "until" in end ? end.until : null;
}

/** Why it cannot be shelved so; `null` when it can. */
export function shelvingRefusal(
  shelving: Shelving,
  end: PassEnd,
  serverNow: number,
  note: string,
): string | null {
  if (shelving === "pass" && "refusal" in end) return end.refusal;
  const until = shelvedUntil(shelving, end, serverNow) ?? serverNow;
  if (until <= serverNow) return "The pass is over.";
  return until - serverNow > WITHOUT_NOTE_MS && note.trim() === ""
    ? "For more than an hour say why in the note."
    : null;
}

/** `until 13:41:00Z, when the pass of aurora-1 over Svalbard ends`. */
export function untilText(shelving: Shelving, end: PassEnd, serverNow: number): string {
  const until = shelvedUntil(shelving, end, serverNow);
  if (until === null) return "";
  const time = `until ${clockTime(until)}`;
  return shelving === "pass" && "text" in end ? `${time}, when the ${end.text} ends` : time;
}
