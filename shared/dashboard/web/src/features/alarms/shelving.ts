// For how long an alarm may be silent. Never without end, and for more than an hour only with a reason.

export const SHELVINGS = [
  { minutes: 15, text: "15 min" },
  { minutes: 30, text: "30 min" },
  { minutes: 60, text: "1 h" },
  { minutes: 120, text: "2 h" },
  { minutes: 240, text: "4 h" },
  { minutes: 480, text: "8 h" },
] as const;
export const USUAL_MINUTES = 120;
/** For longer the server wants a note. */
const MINUTES_WITHOUT_NOTE = 60;

/** Why it cannot be shelved so; `null` when it can. */
export function shelvingRefusal(minutes: number, note: string): string | null {
  return minutes > MINUTES_WITHOUT_NOTE && note.trim() === ""
    ? "For more than an hour say why in the note."
    : null;
}

export function shelvedUntil(minutes: number, serverNow: number): string {
  return new Date(serverNow + minutes * 60_000).toISOString();
}
