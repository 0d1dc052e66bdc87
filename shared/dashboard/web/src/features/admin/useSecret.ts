// Asks for something with a secret in it and holds it until its dialog closes: not in a cache, a store or an address.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

export interface Making<Asked, Made> {
  made: Made | null;
  busy: boolean;
  error: unknown;
  make: (asked: Asked) => void;
  forget: () => void;
}

export function useSecret<Asked, Made>(
  ask: (asked: Asked) => Promise<Made>,
  list: readonly string[],
): Making<Asked, Made> {
  const queries = useQueryClient();
  const [made, setMade] = useState<Made | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const run = async (asked: Asked) => {
    setBusy(true);
    setError(null);
    try {
      setMade(await ask(asked));
      await queries.invalidateQueries({ queryKey: list });
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  const forget = () => {
    setMade(null);
    setError(null);
  };
  return { made, busy, error, make: (asked) => void run(asked), forget };
}
