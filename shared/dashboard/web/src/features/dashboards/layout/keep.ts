// Keeps what is being edited in this browser tab, so that an expired login or a reload loses nothing.
import type { Draft } from "./draft";

function keyOf(mission: string, dashboard: string): string {
  return `sto-draft ${mission} ${dashboard}`;
}

/** The way back is not kept: only where editing began, and what it has come to. */
export function keepDraft(mission: string, { base, now }: Draft): void {
  try {
    sessionStorage.setItem(keyOf(mission, base.id), JSON.stringify({ base, now }));
  } catch {
    // Storage may be forbidden or full; the draft then lasts as long as the page.
  }
}

export function keptDraft(mission: string, dashboard: string): Draft | null {
  try {
    const text = sessionStorage.getItem(keyOf(mission, dashboard));
    const kept: unknown = text === null ? null : JSON.parse(text);
    return isDraft(kept) ? { base: kept.base, now: kept.now, past: [], future: [] } : null;
  } catch {
    return null;
  }
}

export function forgetDraft(mission: string, dashboard: string): void {
  try {
    sessionStorage.removeItem(keyOf(mission, dashboard));
  } catch {
    // As above: then there is nothing to forget.
  }
}

/** Another version of this page may have written it. */
function isDraft(kept: unknown): kept is Pick<Draft, "base" | "now"> {
  if (kept === null || typeof kept !== "object" || !("base" in kept) || !("now" in kept)) return false;
  const { base, now } = kept as Pick<Draft, "base" | "now">;
  return typeof base?.heads === "string" && Array.isArray(base.widgets) && Array.isArray(now?.widgets);
}
