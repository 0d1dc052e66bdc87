// What of a dashboard is whose. The server decides; here it is known beforehand and said why.
import { refusal } from "../../session/access";
import type { Dashboard, DashboardSummary, Session } from "../../types";

type Owned = Pick<Dashboard | DashboardSummary, "author">;

/** Only its author, and an operator of all missions, may say who sees it. */
export function audienceRefusal(session: Session, dashboard: Owned): string | null {
  return ownRefusal(session, dashboard, "say who sees it");
}

export function removalRefusal(session: Session, dashboard: Owned): string | null {
  return ownRefusal(session, dashboard, "delete it");
}

function ownRefusal(session: Session, { author }: Owned, deed: string): string | null {
  const refused = refusal(session, "operate");
  if (refused !== null) return refused;
  const isOfAll = session.missions === undefined || session.missions === null;
  if (author === session.principal || isOfAll) return null;
  return `Only its author ${author} and operators of all missions may ${deed}.`;
}
