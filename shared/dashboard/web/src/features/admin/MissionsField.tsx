// Of which missions something is: all of them, also those to come, or some.
import { useQuery } from "@tanstack/react-query";
import { missionsQuery } from "../../api/queries";

interface Props {
  legend: string;
  all: string;
  /** `null`: all. */
  value: readonly string[] | null;
  onChange: (value: string[] | null) => void;
}

export function MissionsField({ legend, all, value, onChange }: Props) {
  const known = useQuery(missionsQuery).data?.map(({ name }) => name) ?? [];
  // One that the hub no longer has stays listed, so that it can be taken away.
  const names = [...new Set([...known, ...(value ?? [])])];
  const toggle = (name: string, on: boolean) =>
    onChange(names.filter((one) => (one === name ? on : value?.includes(one))));
  return (
    <fieldset className="choices">
      <legend>{legend}</legend>
      <label>
        <input type="radio" checked={value === null} onChange={() => onChange(null)} /> {all}
      </label>
      <label>
        <input type="radio" checked={value !== null} onChange={() => onChange([])} /> only these
      </label>
      {value === null
        ? null
        : names.map((name) => (
            <label key={name} className="inner">
              <input
                type="checkbox"
                checked={value.includes(name)}
                onChange={(event) => toggle(name, event.target.checked)}
              />{" "}
              {name}
            </label>
          ))}
    </fieldset>
  );
}

export function missionsText(missions: readonly string[] | null | undefined): string {
  if (missions === null || missions === undefined) return "all missions";
  return missions.length === 0 ? "no mission" : missions.join(", ");
}
