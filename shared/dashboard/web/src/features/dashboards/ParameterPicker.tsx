// Finds parameters among ten thousand by words of their path, description or unit.
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useDeferredValue, useId, useMemo, useState } from "react";
import { parametersQuery } from "../../api/queries";
import { count } from "../../format/quantity";
import type { ParameterDescription } from "../../types";
import { matching } from "../parameters/search";
import { isDrawable } from "../plot/lines";

const SHOWN_MAX = 50;
const NONE: readonly ParameterDescription[] = [];

interface Props {
  mission: string;
  label: string;
  chosen: readonly string[];
  max: number;
  /** Only what has a curve: text, bytes and moments are left out. */
  curves: boolean;
  onChange: (chosen: string[]) => void;
}

export function ParameterPicker({ mission, label, chosen, max, curves, onChange }: Props) {
  const { data } = useQuery(parametersQuery(mission));
  const [text, setText] = useState("");
  const sought = useDeferredValue(text);
  const found = useMemo(() => {
    const usable = curves ? (data ?? NONE).filter(isDrawable) : (data ?? NONE);
    return matching(usable, sought);
  }, [data, curves, sought]);
  const status = useId();
  const isFull = chosen.length >= max;

  const add = (name: string) => {
    if (chosen.includes(name)) return;
    onChange(max === 1 ? [name] : [...chosen, name].slice(0, max));
  };
  const onKey = (event: KeyboardEvent) => {
    const [first] = found;
    if (event.key !== "Enter" || first === undefined) return;
    event.preventDefault();
    add(first.name);
  };

  return (
    <fieldset className="picker">
      <legend>
        {label} <span className="faint">({max === 1 ? "one" : `${chosen.length} of at most ${max}`})</span>
      </legend>
      <ol className="picker-chosen" aria-label={`Chosen: ${label}`}>
        {chosen.map((name, index) => (
          <li key={name}>
            <bdi className="key" title={name}>
              {name}
            </bdi>
            {index === 0 ? null : (
              <button
                type="button"
                aria-label={`Move ${name} up`}
                title="Move up"
                onClick={() => onChange(raised(chosen, index))}
              >
                ↑
              </button>
            )}
            <button
              type="button"
              aria-label={`Remove ${name}`}
              onClick={() => onChange(chosen.filter((other) => other !== name))}
            >
              Remove
            </button>
          </li>
        ))}
      </ol>
      <label className="field">
        Search
        <input
          type="search"
          value={text}
          aria-describedby={status}
          placeholder="words of name, description or unit"
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKey}
        />
      </label>
      <p id={status} className="faint" role="status">
        {count(found.length)} found{found.length > SHOWN_MAX ? `, the first ${SHOWN_MAX} are listed` : ""}
        {isFull && max > 1 ? " · no more are taken" : ""}
      </p>
      <ul className="picker-found" aria-label="Parameters found">
        {found.slice(0, SHOWN_MAX).map((parameter) => (
          <li key={parameter.name}>
            <button
              type="button"
              className="quiet"
              aria-pressed={chosen.includes(parameter.name)}
              aria-disabled={isFull && max > 1}
              title={isFull && max > 1 ? `At most ${max} are taken; remove one first` : parameter.name}
              onClick={() => (isFull && max > 1 ? undefined : add(parameter.name))}
            >
              <bdi>{parameter.name}</bdi> <span className="faint">{parameter.unit}</span>{" "}
              <span className="faint">{parameter.description}</span>
            </button>
          </li>
        ))}
      </ul>
    </fieldset>
  );
}

function raised(names: readonly string[], index: number): string[] {
  const raised = [...names];
  const [name] = raised.splice(index, 1);
  if (name !== undefined) raised.splice(index - 1, 0, name);
  return raised;
}
