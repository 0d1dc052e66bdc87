// The fleet at a glance: a map, and a matrix that says the same in words. Both show the stations of one filter.
import { useMemo } from "react";
import { count, plural } from "../../format/quantity";
import { Failure, Loading } from "../../shell/Notice";
import { StatusSymbol } from "../../shell/StatusSymbol";
import { STATUSES } from "../../shell/status";
import "./fleet.css";
import { FleetFilter } from "./FleetFilter";
import { FleetMap } from "./FleetMap";
import { StatusMatrix } from "./StatusMatrix";
import type { FleetSearch } from "./search";
import { chosenRows, type StationRow } from "./status";
import { useFleet } from "./useFleet";

interface Props {
  search: FleetSearch;
  onSearch: (changes: FleetSearch) => void;
}

export function FleetPage({ search, onSearch }: Props) {
  const { rows, frozen, error, retry } = useFleet();
  const { view = "map", q = "", least = null, sort = "worst" } = search;
  const chosen = useMemo(
    () => (rows === null ? null : chosenRows(rows, { q, least, sort })),
    [rows, q, least, sort],
  );
  return (
    <>
      <header className="page-head">
        <h1>Fleet</h1>
        <fieldset className="segments">
          <legend className="visually-hidden">View</legend>
          {(["map", "matrix"] as const).map((name) => (
            <button
              type="button"
              key={name}
              aria-pressed={view === name}
              onClick={() => onSearch({ ...search, view: name })}
            >
              {name === "map" ? "Map" : "Matrix"}
            </button>
          ))}
        </fieldset>
        <FleetFilter search={search} onSearch={onSearch} />
        {rows === null ? null : <FleetSummary rows={rows} shown={chosen?.length ?? 0} frozen={frozen} />}
      </header>
      {rows === null && error !== null ? <Failure error={error} onRetry={retry} /> : null}
      {rows === null && error === null ? <Loading what="stations" /> : null}
      {chosen !== null && chosen.length === 0 ? (
        <p className="empty">
          {rows?.length === 0
            ? "No station is enrolled. Make an enrolment token under Administration and use it on the station's node."
            : "No station is like this. Loosen the filter."}
        </p>
      ) : null}
      {chosen === null || chosen.length === 0 ? null : view === "matrix" ? (
        <StatusMatrix
          rows={chosen}
          frozen={frozen}
          sort={sort}
          onSort={(next) => onSearch({ ...search, sort: next })}
        />
      ) : (
        <FleetMap rows={chosen} search={search} onSearch={onSearch} />
      )}
    </>
  );
}

function FleetSummary({
  rows,
  shown,
  frozen,
}: {
  rows: readonly StationRow[];
  shown: number;
  frozen: boolean;
}) {
  return (
    <ul className={`summary${frozen ? " faint" : ""}`} aria-label="Summary of stations">
      {frozen ? <li>last known:</li> : null}
      {STATUSES.map((status) => {
        const number = rows.filter((row) => row.worst === status).length;
        return number === 0 ? null : (
          <li key={status}>
            <StatusSymbol status={status} hollow={frozen} /> {count(number)} {status}
          </li>
        );
      })}
      {shown === rows.length ? null : (
        <li>
          {count(shown)} of {plural(rows.length, "station")} shown
        </li>
      )}
    </ul>
  );
}
