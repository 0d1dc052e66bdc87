// Who is logged in, and what that lets one do. The server decides; here it is known beforehand and said why.
import { createContext, use } from "react";
import type { Session } from "../types";

export interface LoggedIn {
  session: Session;
  onLogOut: () => void;
}

export const LoggedInContext = createContext<LoggedIn | null>(null);

/** The session ended by itself: the pages stay beneath the login form, and cannot be used. */
export const SessionOverContext = createContext(false);

export function useLoggedIn(): LoggedIn {
  const loggedIn = use(LoggedInContext);
  if (loggedIn === null) throw new Error("pages need a LoggedInContext above them");
  return loggedIn;
}

export type Deed =
  /** Act on alarms, change rules and limits, keep dashboards, post events. */
  | "operate"
  /** Nodes, tokens, people, dictionaries: at the hub only. */
  | "administer";

/** `null` when it is allowed, else why not, as a sentence for a disabled action. */
export function refusal(session: Session, deed: Deed): string | null {
  if (session.role !== "operator")
    return `Only operators may do this; ${session.principal} is logged in as ${session.role}.`;
  if (deed === "administer" && session.server.kind === "edge")
    return "This is done at the hub; a station has none of it.";
  if (deed === "administer" && session.missions !== undefined && session.missions !== null)
    return `Only operators of all missions may do this; ${session.principal} is logged in for ${session.missions.join(", ")}.`;
  return null;
}

export function useRefusal(deed: Deed): string | null {
  return refusal(useLoggedIn().session, deed);
}
