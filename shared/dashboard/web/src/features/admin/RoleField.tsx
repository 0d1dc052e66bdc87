// What somebody or something may do.
import type { Role } from "../../api/admin";

export const ROLES: Record<Role, string> = {
  operator: "operator: also acts on alarms, limits and dashboards",
  viewer: "viewer: reads only",
};

export function RoleField({ value, onChange }: { value: Role; onChange: (role: Role) => void }) {
  return (
    <fieldset className="choices">
      <legend>It may</legend>
      {(Object.keys(ROLES) as Role[]).map((role) => (
        <label key={role}>
          <input type="radio" checked={value === role} onChange={() => onChange(role)} /> {ROLES[role]}
        </label>
      ))}
    </fieldset>
  );
}
