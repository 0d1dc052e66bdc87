// The list of dashboards as a table.
import { Link } from "@tanstack/react-router";
import { dateAndTime, parseTime } from "../../format/time";
import { useLoggedIn } from "../../session/access";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { DashboardSummary } from "../../types";
import { AUDIENCES } from "./names";
import { removalRefusal } from "./rights";

interface Props {
  mission: string;
  dashboards: readonly DashboardSummary[];
  search: string;
  /** Why none may be made. */
  refusal: string | null;
  onDuplicate: (dashboard: DashboardSummary) => void;
  onDelete: (dashboard: DashboardSummary) => void;
}

export function DashboardList({ mission, dashboards, search, refusal, onDuplicate, onDelete }: Props) {
  const { session } = useLoggedIn();
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = dashboards.filter(({ title, author }) =>
    words.every((word) => `${title} ${author}`.toLowerCase().includes(word)),
  );
  if (dashboards.length === 0)
    return <p className="empty">There is no dashboard yet. Make one: templates give it a beginning.</p>;
  if (found.length === 0) return <p className="empty">No title or author has these words.</p>;
  return (
    <div className="panel scroll-x">
      <table className="grid" aria-label={`Dashboards of ${mission}`}>
        <thead>
          <tr>
            <th scope="col">Title</th>
            <th scope="col">Author</th>
            <th scope="col">Seen by</th>
            <th scope="col">Changed (UTC)</th>
            <th scope="col">By</th>
            <th scope="col" className="number">
              Widgets
            </th>
            <th scope="col">To be settled</th>
            <th scope="col">
              <span className="visually-hidden">Acts</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {found.map((dashboard) => {
            const kept = removalRefusal(session, dashboard);
            return (
              <tr key={dashboard.id}>
                <th scope="row">
                  <Link
                    to="/m/$mission/d/$dashboard"
                    params={{ mission, dashboard: dashboard.id }}
                    title={dashboard.title}
                  >
                    <bdi>{dashboard.title}</bdi>
                  </Link>
                </th>
                <td>
                  <bdi>{dashboard.author}</bdi>
                </td>
                <td>{AUDIENCES[dashboard.audience]}</td>
                <td>{dateAndTime(parseTime(dashboard.changed_at))}</td>
                <td>
                  <bdi>{dashboard.changed_by}</bdi>
                </td>
                <td className="number">{dashboard.widgets}</td>
                <td>
                  {dashboard.conflicts === 0 ? null : (
                    <>
                      <StatusSymbol status="caution" /> {dashboard.conflicts} widgets
                    </>
                  )}
                </td>
                <td>
                  <button
                    type="button"
                    aria-label={`Duplicate ${dashboard.title}`}
                    aria-disabled={refusal !== null}
                    title={refusal ?? undefined}
                    onClick={() => (refusal === null ? onDuplicate(dashboard) : undefined)}
                  >
                    Duplicate
                  </button>{" "}
                  <button
                    type="button"
                    aria-label={`Delete ${dashboard.title}`}
                    aria-disabled={kept !== null}
                    title={kept ?? undefined}
                    onClick={() => (kept === null ? onDelete(dashboard) : undefined)}
                  >
                    Delete
                  </button>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
