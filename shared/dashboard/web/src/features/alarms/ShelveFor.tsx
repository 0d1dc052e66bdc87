// For how long: a length of time, or until a pass is over.
import { type PassEnd, SHELVINGS, type Shelving, untilText } from "./shelving";

interface Props {
  shelving: Shelving;
  end: PassEnd;
  serverNow: number;
  onShelving: (shelving: Shelving) => void;
}

export function ShelveFor({ shelving, end, serverNow, onShelving }: Props) {
  return (
    <>
      <label className="field">
        <span className="faint">Shelve for</span>
        <select
          value={shelving}
          onChange={({ target }) => onShelving(target.value === "pass" ? "pass" : Number(target.value))}
        >
          {SHELVINGS.map((choice) => (
            <option key={choice.minutes} value={choice.minutes}>
              {choice.text}
            </option>
          ))}
          <option value="pass" disabled={"refusal" in end} title={"refusal" in end ? end.refusal : undefined}>
            end of pass
          </option>
        </select>
      </label>
      <output className="faint">
        {untilText(shelving, end, serverNow)}
        {"refusal" in end ? ` · not until the end of a pass: ${end.refusal}` : ""}
      </output>
    </>
  );
}
