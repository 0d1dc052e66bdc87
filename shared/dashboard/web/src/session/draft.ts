// What was typed and not saved yet. It lies in this tab's storage, so that a login that ends in between loses nothing.
import { useCallback, useState } from "react";
import { useLoggedIn } from "./access";

const PREFIX = "sto-draft";

/** `null` while there is none. Kept under who wrote it: another person in this tab does not see it. */
export function useDraft<T>(name: string): [T | null, (draft: T | null) => void] {
  const { session } = useLoggedIn();
  const key = `${PREFIX} ${session.principal} ${name}`;
  const [held, setHeld] = useState(() => ({ key, draft: read<T>(key) }));
  const current = held.key === key ? held : { key, draft: read<T>(key) };
  if (current !== held) setHeld(current);
  const keep = useCallback(
    (draft: T | null) => {
      setHeld({ key, draft });
      write(key, draft);
    },
    [key],
  );
  return [current.draft, keep];
}

function read<T>(key: string): T | null {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null") as T | null;
  } catch {
    return null;
  }
}

/** A full or forbidden storage leaves the draft on the page alone. */
function write(key: string, draft: unknown): void {
  try {
    if (draft === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(draft));
  } catch {
    return;
  }
}

/** At logout: the next person in this tab starts with nothing. */
export function forgetDrafts(): void {
  try {
    for (const key of Object.keys(sessionStorage))
      if (key.startsWith(`${PREFIX} `)) sessionStorage.removeItem(key);
  } catch {
    // Where storage is forbidden nothing was kept in it.
  }
}
