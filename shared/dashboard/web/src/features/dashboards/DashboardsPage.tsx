// The dashboards of a mission that one may see: found, made, taken from a file, copied and deleted.
import "./dashboards.css";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { createDashboard, dashboardQuery, dashboardsQuery, removeDashboard } from "../../api/dashboards";
import { useRefusal } from "../../session/access";
import { Modal } from "../../shell/Modal";
import { Failure, Loading } from "../../shell/Notice";
import type { Dashboard, DashboardSummary, NewDashboard } from "../../types";
import { CreateDialog } from "./CreateDialog";
import { DashboardList } from "./DashboardList";
import { layoutOf } from "./layout/draft";
import { readDashboardFile } from "./layout/file";
import { newDashboardId } from "./names";

export function DashboardsPage() {
  const { mission } = useParams({ from: "/m/$mission/d" });
  const { q = "" } = useSearch({ from: "/m/$mission/d" });
  const navigate = useNavigate();
  const client = useQueryClient();
  const query = useQuery(dashboardsQuery(mission));
  const refusal = useRefusal("operate");
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<DashboardSummary | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const open = (id: string, edit: boolean) =>
    navigate({
      to: "/m/$mission/d/$dashboard",
      params: { mission, dashboard: id },
      search: edit ? { edit: true } : {},
    });
  const onCreated = (dashboard: Dashboard, edit: boolean) => {
    client.setQueryData(dashboardQuery(mission, dashboard.id).queryKey, dashboard);
    void client.invalidateQueries({ queryKey: dashboardsQuery(mission).queryKey });
    void open(dashboard.id, edit);
  };
  const create = useMutation({
    mutationFn: (dashboard: NewDashboard) => createDashboard(mission, dashboard),
    onSuccess: (dashboard) => onCreated(dashboard, false),
  });
  const duplicate = useMutation({
    mutationFn: async (of: DashboardSummary) => {
      const { widgets } = layoutOf(await client.fetchQuery(dashboardQuery(mission, of.id)));
      const title = `${of.title.slice(0, 190)} (copy)`;
      return createDashboard(mission, { id: newDashboardId(), title, widgets, audience: "author" });
    },
    onSuccess: (dashboard) => onCreated(dashboard, true),
  });
  const remove = useMutation({
    mutationFn: (of: DashboardSummary) => removeDashboard(mission, of.id),
    onSuccess: () => {
      setDeleting(null);
      return client.invalidateQueries({ queryKey: dashboardsQuery(mission).queryKey });
    },
  });
  const importFile = async (file: File) => {
    const read = readDashboardFile(await file.text());
    setWrong(read.kind === "wrong" ? `${file.name}: at ${read.place}, ${read.why}.` : null);
    if (read.kind === "file") create.mutate({ ...read.file, id: newDashboardId(), audience: "author" });
  };
  return (
    <>
      <header className="page-head dashboard-head">
        <h1>Dashboards of {mission}</h1>
        <label className="field">
          Search
          <input
            type="search"
            value={q}
            placeholder="title or author"
            onChange={(event) =>
              void navigate({
                to: "/m/$mission/d",
                params: { mission },
                search: event.target.value === "" ? {} : { q: event.target.value },
                replace: true,
              })
            }
          />
        </label>
        <span className="grow" />
        <button
          type="button"
          aria-disabled={refusal !== null}
          title={refusal ?? undefined}
          onClick={() => (refusal === null ? setCreating(true) : undefined)}
        >
          New dashboard…
        </button>
        <label className="file-button" title={refusal ?? "A file that was exported here or elsewhere"}>
          Import a file…
          <input
            type="file"
            accept=".json,application/json"
            disabled={refusal !== null}
            onChange={(event) => {
              const [file] = event.target.files ?? [];
              event.target.value = "";
              if (file !== undefined) void importFile(file);
            }}
          />
        </label>
      </header>
      {wrong === null ? null : (
        <p className="notice serious" role="alert">
          <span>
            <strong>The file was not taken.</strong> <bdi>{wrong}</bdi> Nothing was changed; mend it and
            import it again.
          </span>
        </p>
      )}
      {[create, duplicate, remove].map(({ error }) =>
        error === null ? null : <Failure key={error.message} error={error} />,
      )}
      {query.data === undefined ? (
        query.isError ? (
          <Failure error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Loading what="dashboards" />
        )
      ) : (
        <DashboardList
          mission={mission}
          dashboards={query.data}
          search={q}
          refusal={refusal}
          onDuplicate={(of) => duplicate.mutate(of)}
          onDelete={setDeleting}
        />
      )}
      {creating ? (
        <CreateDialog
          mission={mission}
          onClose={() => setCreating(false)}
          onCreated={(dashboard) => onCreated(dashboard, dashboard.widgets.length === 0)}
        />
      ) : null}
      {deleting === null ? null : (
        <Modal title="Delete this dashboard?" onClose={() => setDeleting(null)}>
          <p>
            <bdi>{deleting.title}</bdi> by <bdi>{deleting.author}</bdi>, {deleting.widgets} widgets. It cannot
            be brought back; export it first if somebody may want it.
          </p>
          <p className="modal-acts">
            <button type="button" className="primary" onClick={() => remove.mutate(deleting)}>
              Delete
            </button>
            <button type="button" onClick={() => setDeleting(null)}>
              Keep it
            </button>
          </p>
        </Modal>
      )}
    </>
  );
}
