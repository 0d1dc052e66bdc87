// A form that adds a rule to detection rules without touching the rest of their text.
import { useState } from "react";
import { Act } from "../alarms/Act";
import { SEVERITIES } from "../alarms/alarm";
import { DETECTORS, withWatch } from "./detection";

interface Props {
  text: string;
  /** Why the text cannot be changed; `null` when it can. */
  refusal: string | null;
  onText: (text: string) => void;
}

export function WatchForm({ text, refusal, onText }: Props) {
  const [names, setNames] = useState("");
  const [severity, setSeverity] = useState("warning");
  const [mode, setMode] = useState("");
  const [detectors, setDetectors] = useState<readonly string[]>([]);
  const parameters = names.split(/[\s,]+/).filter((name) => name !== "");
  const missing = parameters.length === 0 ? "Name a parameter, as in /demo/power/*." : null;
  const toggle = (detector: string) =>
    setDetectors((chosen) =>
      chosen.includes(detector) ? chosen.filter((one) => one !== detector) : [...chosen, detector],
    );
  return (
    <aside className="panel escalation" aria-label="Add a rule">
      <h2>Add a rule</h2>
      <p className="faint">
        It goes to the end of the text: of the rules that name a parameter the first counts.
      </p>
      <label className="field">
        <span className="faint">Parameters (* for any run of characters)</span>
        <textarea
          rows={2}
          value={names}
          maxLength={10_000}
          spellCheck={false}
          onChange={(event) => setNames(event.target.value)}
        />
      </label>
      <label className="field">
        <span className="faint">Severity</span>
        <select value={severity} onChange={(event) => setSeverity(event.target.value)}>
          {SEVERITIES.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <label className="field">
        <span className="faint">Mode (empty: none)</span>
        <input value={mode} maxLength={256} onChange={(event) => setMode(event.target.value)} />
      </label>
      <fieldset className="detectors">
        <legend className="faint">Detectors (none chosen: the default suite)</legend>
        {DETECTORS.map((detector) => (
          <label key={detector}>
            <input type="checkbox" checked={detectors.includes(detector)} onChange={() => toggle(detector)} />{" "}
            {detector}
          </label>
        ))}
      </fieldset>
      <div className="acts">
        <Act
          text="Add to the text"
          refusal={refusal ?? missing}
          onAct={() => {
            onText(withWatch(text, { parameters, severity, mode: mode.trim(), detectors }));
            setNames("");
          }}
        />
      </div>
    </aside>
  );
}
