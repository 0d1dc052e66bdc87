// Chooses the mission whose parameters are shown.
import type { Mission } from "../../types";

interface Props {
  missions: readonly Mission[];
  mission: string;
  onMission: (mission: string) => void;
}

export function MissionPicker({ missions, mission, onMission }: Props) {
  const known = missions.some((m) => m.name === mission);
  return (
    <label className="field">
      <span className="faint">Mission</span>
      <select value={mission} onChange={(event) => onMission(event.target.value)}>
        {known ? null : <option value={mission}>{mission}</option>}
        {missions.map((m) => (
          <option key={m.name} value={m.name}>
            {m.name} · {m.title}
          </option>
        ))}
      </select>
    </label>
  );
}
