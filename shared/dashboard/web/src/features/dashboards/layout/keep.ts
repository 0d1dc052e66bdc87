// Keeps what is being edited in this browser tab, so that an expired login or a reload loses nothing.
import { useCallback } from "react";
import { useDraft } from "../../../session/draft";
import type { Draft } from "./draft";

/** The way back is not kept: only where editing began, and what it has come to. */
type Kept = Pick<Draft, "base" | "now">;

export function useKeptDraft(
  mission: string,
  dashboard: string,
): [Draft | null, (draft: Draft | null) => void] {
  const [kept, keep] = useDraft<Kept>(`dashboard ${mission} ${dashboard}`);
  return [
    isKept(kept) ? { base: kept.base, now: kept.now, past: [], future: [] } : null,
    useCallback((draft) => keep(draft === null ? null : { base: draft.base, now: draft.now }), [keep]),
  ];
}

/** Another version of this page may have written it. */
function isKept(kept: Partial<Kept> | null): kept is Kept {
  return (
    typeof kept?.base?.heads === "string" &&
    Array.isArray(kept.base.widgets) &&
    Array.isArray(kept.now?.widgets)
  );
}
