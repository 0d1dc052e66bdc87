// Adds a widget, or changes what one shows: a form made of the fields its kind takes.
import { type FormEvent, useId, useState } from "react";
import { Modal } from "../../shell/Modal";
import { type Field, fieldProblem, type Opts, parametersOf, textOf } from "./layout/opts";
import { ParameterPicker } from "./ParameterPicker";
import { KINDS, kindOf, TITLE } from "./widgets/kinds";

interface Props {
  mission: string;
  /** `null` while a new one's kind is to be chosen. */
  kind: string | null;
  opts: Opts;
  onApply: (kind: string, opts: Opts) => void;
  onClose: () => void;
}

export function ConfigureDialog({ mission, kind: given, opts: before, onApply, onClose }: Props) {
  const [chosen, setChosen] = useState(given ?? KINDS[0]?.kind ?? "");
  const [opts, setOpts] = useState<Opts>(before);
  const [tried, setTried] = useState(false);
  const kind = kindOf(chosen);
  const fields = kind === undefined ? [] : [TITLE, ...kind.fields];
  const problems = fields.flatMap((field) => fieldProblem(field, opts[field.name]) ?? []);
  const set = (name: string, value: unknown) => {
    const { [name]: _, ...others } = opts;
    setOpts(value === undefined ? others : { ...others, [name]: value });
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (kind !== undefined && problems.length === 0) onApply(kind.kind, opts);
  };
  return (
    <Modal
      title={given === null ? "Add a widget" : "Configure the widget"}
      className="wide"
      onClose={onClose}
    >
      <form className="configure" onSubmit={onSubmit}>
        {given === null ? (
          <fieldset className="kinds">
            <legend>Kind</legend>
            {KINDS.map(({ kind: name, label, what }) => (
              <label key={name}>
                <input
                  type="radio"
                  name="kind"
                  value={name}
                  checked={name === chosen}
                  onChange={() => setChosen(name)}
                />
                {label} <span className="faint">{what}</span>
              </label>
            ))}
          </fieldset>
        ) : null}
        {kind === undefined ? (
          <p>
            This page knows no widget of kind <bdi className="key">{chosen}</bdi>; its options cannot be
            changed here.
          </p>
        ) : null}
        {fields.map((field) => (
          <FieldView key={field.name} mission={mission} field={field} opts={opts} onSet={set} />
        ))}
        {tried && problems.length > 0 ? (
          <p className="state serious" role="alert">
            {problems.join(" ")}
          </p>
        ) : null}
        <p className="modal-acts">
          <button type="submit" className="primary">
            {given === null ? "Add" : "Apply"}
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </p>
      </form>
    </Modal>
  );
}

interface FieldProps {
  mission: string;
  field: Field;
  opts: Opts;
  onSet: (name: string, value: unknown) => void;
}

function FieldView({ mission, field, opts, onSet }: FieldProps) {
  const id = useId();
  switch (field.kind) {
    case "choice":
      return (
        <label className="field">
          {field.label}
          <select
            value={String(opts[field.name] ?? field.options[0]?.[0] ?? "")}
            onChange={(event) => onSet(field.name, event.target.value)}
          >
            {field.options.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
      );
    case "number": {
      const value = opts[field.name];
      return (
        <label className="field">
          {field.label}
          <input
            type="number"
            step="any"
            defaultValue={typeof value === "number" ? value : ""}
            aria-describedby={id}
            onChange={(event) =>
              onSet(
                field.name,
                Number.isNaN(event.target.valueAsNumber) ? undefined : event.target.valueAsNumber,
              )
            }
          />
          <span id={id} className="faint">
            {field.hint}
          </span>
        </label>
      );
    }
    case "text":
      return (
        <label className="field" htmlFor={id}>
          {field.label}
          {field.lines === 1 ? (
            <input
              id={id}
              type="text"
              dir="auto"
              maxLength={200}
              value={textOf(opts, field.name)}
              onChange={(event) =>
                onSet(field.name, event.target.value === "" ? undefined : event.target.value)
              }
            />
          ) : (
            <textarea
              id={id}
              dir="auto"
              rows={field.lines}
              value={textOf(opts, field.name)}
              onChange={(event) => onSet(field.name, event.target.value)}
            />
          )}
        </label>
      );
    case "parameters":
      return (
        <ParameterPicker
          mission={mission}
          label={field.label}
          chosen={parametersOf(opts)}
          max={field.max}
          curves={field.curves}
          onChange={(names) => onSet(field.name, names)}
        />
      );
  }
}
