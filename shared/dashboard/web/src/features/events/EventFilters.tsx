// Chooses whose events are shown, and which of them. What is chosen stands in the address.
import { SearchField } from "../../shell/SearchField";
import type { EventSeverity } from "../../types";
import { type EventsSearch, SEVERITIES } from "./routes";

interface Props {
  filters: EventsSearch;
  /** Why the hub's own events cannot be read; `null` when they can. */
  hubRefusal: string | null;
  onChange: (changes: Partial<EventsSearch>) => void;
}

const WORDS: Record<EventSeverity, string> = {
  error: "errors only",
  info: "all",
  warning: "warnings and errors",
};

export function EventFilters({ filters, hubRefusal, onChange }: Props) {
  const isOfHub = filters.of === "hub" && hubRefusal === null;
  return (
    <fieldset className="event-filters">
      <legend className="visually-hidden">Filter events</legend>
      <fieldset className="segments">
        <legend className="visually-hidden">Whose events</legend>
        <button
          type="button"
          aria-pressed={!isOfHub}
          onClick={() => onChange({ of: undefined, event: undefined })}
        >
          Mission
        </button>
        <button
          type="button"
          aria-pressed={isOfHub}
          aria-disabled={hubRefusal !== null}
          title={hubRefusal ?? "What the hub refused, or somebody should know of"}
          onClick={() => hubRefusal === null && onChange({ of: "hub", event: undefined })}
        >
          Hub
        </button>
      </fieldset>
      <label className="field">
        <span className="faint">Severity</span>
        <select
          value={filters.severity ?? "info"}
          onChange={(event) => {
            const severity = event.target.value as EventSeverity;
            onChange({ severity: severity === "info" ? undefined : severity });
          }}
        >
          {SEVERITIES.map((severity) => (
            <option key={severity} value={severity}>
              {WORDS[severity]}
            </option>
          ))}
        </select>
      </label>
      <SearchField
        label="Search events"
        value={filters.q ?? ""}
        placeholder="Search text, code, station"
        isNarrow
        onSearch={(words) => onChange({ q: words || undefined })}
      />
    </fieldset>
  );
}
