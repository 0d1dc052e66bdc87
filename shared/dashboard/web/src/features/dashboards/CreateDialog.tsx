// Makes a new dashboard: empty, or from a template whose roles are given to the mission's parameters.
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { createDashboard } from "../../api/dashboards";
import { parametersQuery } from "../../api/queries";
import { Modal } from "../../shell/Modal";
import { Failure } from "../../shell/Notice";
import type { Dashboard, ParameterDescription } from "../../types";
import { newDashboardId } from "./names";
import { RoleTable } from "./RoleTable";
import { guessRoles } from "./templates/guess";
import { type Mapping, widgetsOf } from "./templates/template";
import { TEMPLATES } from "./templates/templates";

const NONE: readonly ParameterDescription[] = [];

interface Props {
  mission: string;
  onCreated: (dashboard: Dashboard) => void;
  onClose: () => void;
}

export function CreateDialog({ mission, onCreated, onClose }: Props) {
  const [id] = useState(newDashboardId);
  const [title, setTitle] = useState("");
  const [chosen, setChosen] = useState("");
  /** What was chosen by hand; `null`: nothing is to have the role. */
  const [byHand, setByHand] = useState<Readonly<Record<string, string | null>>>({});
  const { data = NONE } = useQuery(parametersQuery(mission));
  const template = TEMPLATES.find(({ name }) => name === chosen);
  const guesses = useMemo(
    () => (template === undefined ? new Map() : guessRoles(template, data)),
    [template, data],
  );
  const mapping: Mapping = Object.fromEntries(
    (template?.roles ?? []).map(({ role }) => [
      role,
      (byHand[role] === undefined ? guesses.get(role)?.parameter : byHand[role]) ?? undefined,
    ]),
  );
  const widgets = template === undefined ? [] : widgetsOf(template, mapping);
  const create = useMutation({
    mutationFn: (name: string) => createDashboard(mission, { id, title: name, widgets, audience: "author" }),
    onSuccess: onCreated,
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const name = title.trim() || (template?.title ?? "");
    if (name !== "" && !create.isPending) create.mutate(name);
  };
  return (
    <Modal title="A new dashboard" className="wide" onClose={onClose}>
      <form className="configure" onSubmit={onSubmit}>
        <label className="field">
          Title
          <input
            type="text"
            dir="auto"
            maxLength={200}
            required={template === undefined}
            value={title}
            placeholder={template?.title}
            onChange={(event) => setTitle(event.target.value)}
          />
        </label>
        <fieldset className="kinds">
          <legend>Begin with</legend>
          {[{ name: "", title: "Nothing", what: "an empty dashboard" }, ...TEMPLATES].map((begin) => (
            <label key={begin.name}>
              <input
                type="radio"
                name="template"
                value={begin.name}
                checked={begin.name === chosen}
                onChange={() => {
                  setChosen(begin.name);
                  setByHand({});
                }}
              />
              {begin.title} <span className="faint">{begin.what}</span>
            </label>
          ))}
        </fieldset>
        {template === undefined ? null : (
          <>
            <RoleTable
              mission={mission}
              roles={template.roles}
              mapping={mapping}
              reasonOf={(role) => (byHand[role] === undefined ? (guesses.get(role)?.reason ?? null) : null)}
              onChoose={(role, parameter) => setByHand({ ...byHand, [role]: parameter })}
            />
            <p className="faint" role="status">
              {widgets.length} of {template.widgets.length} widgets have the parameters they need.
            </p>
          </>
        )}
        {create.isError ? <Failure error={create.error} /> : null}
        <p className="modal-acts">
          <button type="submit" className="primary">
            Create
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </p>
      </form>
    </Modal>
  );
}
