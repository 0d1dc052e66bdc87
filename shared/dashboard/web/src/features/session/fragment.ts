// Login links carry their code in the fragment, which browsers never send to a server.

interface Place {
  location: Pick<Location, "hash" | "pathname" | "search">;
  history: Pick<History, "replaceState">;
}

/** The code of `#code=…`, removed from the address bar and the history in the same step. */
export function takeCode({ location, history }: Place): string | null {
  const code = new URLSearchParams(location.hash.replace(/^#/, "")).get("code");
  if (code === null) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return code.trim() === "" ? null : code.trim();
}
