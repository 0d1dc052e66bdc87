// Chooses among packets. What is chosen stands in the address.
import type { Node } from "../../types";
import type { PacketsSearch } from "./routes";

interface Props {
  filters: PacketsSearch;
  nodes: readonly Node[];
  onChange: (filters: PacketsSearch) => void;
}

export function PacketFilters({ filters, nodes, onChange }: Props) {
  const { apid, node, link, quarantined } = filters;
  const isKnown = node === undefined || nodes.some(({ name }) => name === node);
  return (
    <fieldset className="packet-filters">
      <legend className="visually-hidden">Filter packets</legend>
      <Entry
        title="APID"
        value={apid === undefined ? "" : String(apid)}
        pattern="[0-9]{1,4}"
        hint="0 to 2047; empty: all"
        onEnter={(text) => onChange({ apid: text === "" ? undefined : Number.parseInt(text, 10) })}
      />
      <label className="field">
        <span className="faint">Station</span>
        <select value={node ?? ""} onChange={(event) => onChange({ node: event.target.value || undefined })}>
          <option value="">all</option>
          {isKnown ? null : <option value={node}>{node}</option>}
          {nodes.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <Entry
        title="Link"
        value={link ?? ""}
        hint="Name of a station's link; empty: all"
        onEnter={(text) => onChange({ link: text || undefined })}
      />
      <label className="field">
        <input
          type="checkbox"
          checked={quarantined === true}
          onChange={(event) => onChange({ quarantined: event.target.checked ? true : undefined })}
        />
        <span>In quarantine only</span>
      </label>
    </fieldset>
  );
}

interface EntryProps {
  title: string;
  value: string;
  hint: string;
  pattern?: string;
  onEnter: (text: string) => void;
}

/** Applied with Enter or on leaving, because each change asks the server anew. */
function Entry({ title, value, hint, pattern, onEnter }: EntryProps) {
  return (
    <label className="field">
      <span className="faint">{title}</span>
      <input
        key={value}
        defaultValue={value}
        size={10}
        title={hint}
        placeholder="all"
        {...(pattern === undefined ? {} : { pattern, inputMode: "numeric" as const })}
        onBlur={(event) => {
          const { value: text, validity } = event.target;
          if (validity.valid && text.trim() !== value) onEnter(text.trim());
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
        }}
      />
    </label>
  );
}
