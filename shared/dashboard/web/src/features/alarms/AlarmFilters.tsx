// What of the alarms is shown, and how many there are of each kind. All of it stands in the address.

import { Link } from "@tanstack/react-router";
import { count } from "../../format/quantity";
import { useCurrentMission } from "../../shell/mission";
import { SearchField } from "../../shell/SearchField";
import { type Counts, SEVERITIES } from "./alarm";
import { type AlarmSearch, STATE_FILTER_WORDS, STATE_FILTERS } from "./filters";

interface Props {
  search: AlarmSearch;
  onSearch: (change: Partial<AlarmSearch>) => void;
}

export function AlarmFilters({ search, onSearch }: Props) {
  return (
    <div className="filters">
      <label className="field">
        <span className="faint">At least</span>
        <select
          value={search.at_least ?? ""}
          onChange={(event) =>
            onSearch({ at_least: SEVERITIES.find((severity) => severity === event.target.value) })
          }
        >
          <option value="">any severity</option>
          {SEVERITIES.map((severity) => (
            <option key={severity} value={severity}>
              {severity}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        <span className="faint">State</span>
        <select
          value={search.state ?? ""}
          onChange={(event) =>
            onSearch({ state: STATE_FILTERS.find((state) => state === event.target.value) })
          }
        >
          <option value="">all open</option>
          {STATE_FILTERS.map((state) => (
            <option key={state} value={state}>
              {STATE_FILTER_WORDS[state]}
            </option>
          ))}
        </select>
      </label>
      <SearchField
        label="Search alarms"
        value={search.q ?? ""}
        placeholder="Parameter, detector, rule, owner"
        onSearch={(words) => onSearch({ q: words || undefined })}
      />
      <div className="segments">
        <button
          type="button"
          aria-pressed={search.mine === true}
          onClick={() => onSearch({ mine: search.mine ? undefined : true })}
        >
          Mine
        </button>
        <button
          type="button"
          aria-pressed={search.view === "causes"}
          onClick={() => onSearch({ view: search.view === "causes" ? undefined : "causes" })}
        >
          By cause
        </button>
      </div>
    </div>
  );
}

/** To the same of all missions and back, and to what decides about alarms. */
export function AlarmLinks({ mission }: { mission: string | null }) {
  const current = useCurrentMission();
  if (current === null) return null;
  return (
    <nav aria-label="Alarms" className="counts links">
      <Link to="/alarms" search={{}} aria-current={mission === null ? "page" : undefined}>
        All missions
      </Link>
      <Link
        to="/m/$mission/alarms"
        params={{ mission: current }}
        search={{}}
        aria-current={mission === null ? undefined : "page"}
      >
        {current}
      </Link>
      <Link to="/m/$mission/rules" params={{ mission: current }}>
        Rules
      </Link>
      <Link to="/m/$mission/deliveries" params={{ mission: current }}>
        Delivery log
      </Link>
    </nav>
  );
}

interface CountsProps {
  counts: Counts;
  /** Whether that is how it stands now. */
  isCurrent: boolean;
}

/** What is silenced is counted whatever is shown. */
export function AlarmCounts({ counts, isCurrent }: CountsProps) {
  return (
    <p className="counts">
      <output>
        {count(counts.open)} open, {count(counts.unacknowledged)} unacknowledged
        {isCurrent ? "" : ", last known"}
      </output>
      <Link to="." search={(old) => ({ ...old, state: "shelved" as const })}>
        {count(counts.shelved)} shelved
      </Link>
      <Link to="." search={(old) => ({ ...old, state: "suppressed" as const })}>
        {count(counts.outOfService)} out of service
      </Link>
    </p>
  );
}
