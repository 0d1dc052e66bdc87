// Which stations are shown.

import type { FleetSearch } from "./search";
import { LEAST } from "./status";

interface Props {
  search: FleetSearch;
  onSearch: (changes: FleetSearch) => void;
}

export function FleetFilter({ search, onSearch }: Props) {
  return (
    <>
      <label className="field">
        <span className="visually-hidden">Find a station</span>
        <input
          type="search"
          placeholder="Site, name or problem"
          value={search.q ?? ""}
          onChange={(event) => onSearch({ ...search, q: event.target.value })}
        />
      </label>
      <label className="field">
        <span className="faint">At least</span>
        <select
          value={search.least ?? ""}
          onChange={(event) => {
            const { least: _, ...rest } = search;
            const least = LEAST.find((one) => one === event.target.value);
            onSearch(least === undefined ? rest : { ...rest, least });
          }}
        >
          <option value="">any status</option>
          {LEAST.map((least) => (
            <option key={least} value={least}>
              {least}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}
