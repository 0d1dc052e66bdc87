// Finds a parameter by words and adds it. Enter takes the first that is found.
import { type KeyboardEvent, useId, useMemo, useState } from "react";
import { count } from "../../format/quantity";
import type { ParameterDescription } from "../../types";
import { matching } from "../parameters/search";

const FOUND_MAX = 12;

interface Props {
  parameters: readonly ParameterDescription[];
  chosen: readonly string[];
  /** Why no further one can be added; `null` when one can. */
  refusal: string | null;
  onAdd: (name: string) => void;
}

export function AddParameter({ parameters, chosen, refusal, onAdd }: Props) {
  const [text, setText] = useState("");
  const list = useId();
  const found = useMemo(
    () => (text.trim() === "" ? [] : matching(parameters, text).filter(({ name }) => !chosen.includes(name))),
    [parameters, chosen, text],
  );
  const add = (parameter: ParameterDescription | undefined) => {
    if (parameter === undefined || refusal !== null) return;
    onAdd(parameter.name);
    setText("");
  };
  const onKey = (event: KeyboardEvent<HTMLElement>) => {
    if (event.key === "Escape") setText("");
    else if (event.key === "Enter" && event.target instanceof HTMLInputElement) add(found[0]);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") moveFocus(event);
    else return;
    event.preventDefault();
  };
  return (
    <fieldset className="add-parameter" onKeyDown={onKey}>
      <legend className="visually-hidden">Add a parameter</legend>
      <input
        type="search"
        aria-label="Search for a parameter to add"
        aria-controls={text.trim() === "" ? undefined : list}
        title={refusal ?? "By path, description or unit; Enter adds the first that is found"}
        placeholder={refusal === null ? "Add a parameter" : "No more can be added"}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <output className="visually-hidden">
        {text.trim() === "" ? "" : `${count(found.length)} parameters found`}
      </output>
      {text.trim() === "" ? null : (
        <ul id={list} className="panel found" aria-label="Parameters found">
          {refusal === null ? null : <li className="faint">{refusal}</li>}
          {found.slice(0, FOUND_MAX).map((parameter) => (
            <li key={parameter.name}>
              <button
                type="button"
                className="quiet"
                aria-disabled={refusal !== null}
                title={parameter.name}
                onClick={() => add(parameter)}
              >
                <bdi>{parameter.name}</bdi> <span className="faint">{parameter.unit}</span>
              </button>
            </li>
          ))}
          {found.length === 0 ? <li className="faint">No parameter matches.</li> : null}
          {found.length > FOUND_MAX ? (
            <li className="faint">and {count(found.length - FOUND_MAX)} more: type more words</li>
          ) : null}
        </ul>
      )}
    </fieldset>
  );
}

function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const stops = [...event.currentTarget.querySelectorAll<HTMLElement>("input, button")];
  const at = stops.indexOf(event.target as HTMLElement);
  stops[Math.max(0, Math.min(stops.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))]?.focus();
}
