// Which of the mission's parameters has which role of a template. Guesses say why; every role may stay empty.
import { useState } from "react";
import { ParameterPicker } from "./ParameterPicker";
import type { Mapping, Role } from "./templates/template";

interface Props {
  mission: string;
  roles: readonly Role[];
  mapping: Mapping;
  /** Why it was guessed; `null` where it was chosen by hand or nothing was found. */
  reasonOf: (role: string) => string | null;
  onChoose: (role: string, parameter: string | null) => void;
}

export function RoleTable({ mission, roles, mapping, reasonOf, onChoose }: Props) {
  const [open, setOpen] = useState<string | null>(null);
  return (
    <div className="roles">
      <table className="grid" aria-label="Roles and parameters">
        <thead>
          <tr>
            <th scope="col">Role</th>
            <th scope="col">Parameter</th>
            <th scope="col">Why</th>
            <th scope="col">
              <span className="visually-hidden">Change</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {roles.map(({ role, label }) => {
            const parameter = mapping[role];
            return (
              <tr key={role}>
                <th scope="row">{label}</th>
                <td title={parameter}>
                  {parameter === undefined ? <span className="faint">none</span> : <bdi>{parameter}</bdi>}
                </td>
                <td className="faint" title={reasonOf(role) ?? undefined}>
                  {reasonOf(role)}
                </td>
                <td>
                  <button
                    type="button"
                    aria-expanded={open === role}
                    aria-label={`Choose for ${label}`}
                    onClick={() => setOpen(open === role ? null : role)}
                  >
                    Choose
                  </button>{" "}
                  <button
                    type="button"
                    aria-label={`Leave ${label} out`}
                    aria-disabled={parameter === undefined}
                    title={parameter === undefined ? "It is left out" : undefined}
                    onClick={() => (parameter === undefined ? undefined : onChoose(role, null))}
                  >
                    Leave out
                  </button>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {open === null ? null : (
        <ParameterPicker
          key={open}
          mission={mission}
          label={roles.find(({ role }) => role === open)?.label ?? open}
          chosen={[mapping[open] ?? []].flat()}
          max={1}
          curves={false}
          onChange={([parameter]) => {
            onChoose(open, parameter ?? null);
            setOpen(null);
          }}
        />
      )}
    </div>
  );
}
