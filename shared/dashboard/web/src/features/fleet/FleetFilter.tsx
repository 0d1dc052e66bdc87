// Which stations are shown.

import { SearchField } from "../../shell/SearchField";
import type { FleetSearch } from "./search";
import { LEAST } from "./status";

interface Props {
  search: FleetSearch;
  onSearch: (changes: FleetSearch) => void;
}

export function FleetFilter({ search, onSearch }: Props) {
  return (
    <>
      <SearchField
        label="Find a station"
        value={search.q ?? ""}
        placeholder="Site, name or problem"
        isNarrow
        onSearch={(q) => onSearch({ ...search, q })}
      />
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
