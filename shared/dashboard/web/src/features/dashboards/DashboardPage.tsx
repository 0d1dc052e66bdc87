// Fetches one dashboard and shows it, or lets it be edited.
import "./dashboards.css";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { dashboardQuery } from "../../api/dashboards";
import { dateAndTime, parseTime } from "../../format/time";
import { useRefusal } from "../../session/access";
import { isTaken } from "../../shell/keys";
import { Failure, Loading } from "../../shell/Notice";
import type { Dashboard } from "../../types";
import { Board, conflictsOf } from "./Board";
import { ConflictDialog } from "./ConflictDialog";
import { Editor } from "./Editor";
import { layoutOf } from "./layout/draft";
import { useKeptDraft } from "./layout/keep";
import { AUDIENCES } from "./names";
import { ShareDialog } from "./ShareDialog";

export function DashboardPage() {
  const { mission, dashboard: id } = useParams({ from: "/m/$mission/d/$dashboard" });
  const { edit } = useSearch({ from: "/m/$mission/d/$dashboard" });
  const navigate = useNavigate();
  const client = useQueryClient();
  const query = useQuery(dashboardQuery(mission, id));
  const refusal = useRefusal("operate");
  const setEditing = (editing: boolean) =>
    void navigate({
      to: "/m/$mission/d/$dashboard",
      params: { mission, dashboard: id },
      search: editing ? { edit: true } : {},
      replace: true,
    });
  const keep = (dashboard: Dashboard) => client.setQueryData(dashboardQuery(mission, id).queryKey, dashboard);
  useEditKey(() => {
    if (refusal === null && edit !== true) setEditing(true);
  });
  if (query.data === undefined)
    return query.isError ? (
      <Failure error={query.error} onRetry={() => void query.refetch()} />
    ) : (
      <Loading what="dashboard" />
    );
  if (edit === true && refusal === null)
    return (
      <Editor
        key={id}
        mission={mission}
        current={query.data}
        onLeave={() => setEditing(false)}
        onSaved={(saved) => {
          keep(saved);
          setEditing(false);
        }}
      />
    );
  return (
    <DashboardView
      mission={mission}
      dashboard={query.data}
      refusal={refusal}
      failed={query.isError ? query.error : null}
      onEdit={() => setEditing(true)}
      onChanged={keep}
    />
  );
}

interface ViewProps {
  mission: string;
  dashboard: Dashboard;
  /** Why it may not be edited. */
  refusal: string | null;
  /** Why it could not be read again. */
  failed: unknown;
  onEdit: () => void;
  onChanged: (dashboard: Dashboard) => void;
}

function DashboardView({ mission, dashboard, refusal, failed, onEdit, onChanged }: ViewProps) {
  const [sharing, setSharing] = useState(false);
  const [settling, setSettling] = useState<string | null>(null);
  const conflicts = conflictsOf(dashboard.widgets);
  const conflict = conflicts.find((widget) => widget.id === settling);
  const [unsaved] = useKeptDraft(mission, dashboard.id);
  const { widgets } = layoutOf(dashboard);
  return (
    <>
      <header className="page-head dashboard-head">
        <h1>
          <Link to="/m/$mission/d" params={{ mission }} className="faint">
            {mission}
          </Link>{" "}
          <bdi>{dashboard.title}</bdi>
        </h1>
        <span className="faint">
          by <bdi>{dashboard.author}</bdi> · changed {dateAndTime(parseTime(dashboard.changed_at))} by{" "}
          <bdi>{dashboard.changed_by}</bdi> · seen by {AUDIENCES[dashboard.audience]}
        </span>
        <span className="grow" />
        <button type="button" onClick={() => setSharing(true)}>
          Share…
        </button>
        <button
          type="button"
          aria-disabled={refusal !== null}
          title={refusal ?? "e"}
          onClick={() => (refusal === null ? onEdit() : undefined)}
        >
          Edit
        </button>
      </header>
      {failed === null ? null : <Failure error={failed} />}
      {unsaved !== null && refusal === null ? (
        <p className="notice caution" role="status">
          <span>Changes of yours to this dashboard are not saved. Edit it to go on with them.</span>
        </p>
      ) : null}
      {widgets.length === 0 ? <p className="empty">Nothing is on it yet: edit it and add a widget.</p> : null}
      <Board
        mission={mission}
        widgets={widgets}
        noteOf={(id) => {
          const copies = conflicts.find((widget) => widget.id === id)?.copies;
          if (copies === undefined) return null;
          return (
            <p className="conflict" role="note">
              {copies.length} people changed this: {copies.map((copy) => copy.author).join(", ")}.{" "}
              <button
                type="button"
                aria-disabled={refusal !== null}
                title={refusal ?? undefined}
                onClick={() => (refusal === null ? setSettling(id) : undefined)}
              >
                Choose…
              </button>
            </p>
          );
        }}
      />
      {sharing ? (
        <ShareDialog
          mission={mission}
          dashboard={dashboard}
          onChanged={onChanged}
          onClose={() => setSharing(false)}
        />
      ) : null}
      {conflict === undefined ? null : (
        <ConflictDialog
          mission={mission}
          dashboard={dashboard}
          conflict={conflict}
          onClose={() => setSettling(null)}
          onSettled={(settled) => {
            onChanged(settled);
            setSettling(null);
          }}
        />
      )}
    </>
  );
}

/** `e` edits; behind `g` it leads elsewhere, which is decided by listeners that come after this one. */
function useEditKey(onEdit: () => void): void {
  const latest = useRef(onEdit);
  latest.current = onEdit;
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key !== "e" || isTaken(event)) return;
      setTimeout(() => {
        if (!event.defaultPrevented) latest.current();
      });
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}
