// The account as a list, the bands' twin: a row an hour or day, station, link and APID.
import { useMemo, useState } from "react";
import { count } from "../../format/quantity";
import { dateAndTime, parseTime } from "../../format/time";
import { VirtualTable } from "../../table/VirtualTable";
import type { Completeness, CompletenessRow } from "../../types";
import { FATE_WORDS, fateOf, lostIn } from "./bands";
import { Percent } from "./Totals";

export function AccountList({ mission, answer }: { mission: string; answer: Completeness }) {
  const [isMissing, setIsMissing] = useState(false);
  const rows = useMemo(
    () =>
      answer.rows
        .filter(({ counts }) => !isMissing || lostIn(counts) + counts.not_received > 0)
        .sort((a, b) => (b.begins ?? "").localeCompare(a.begins ?? "") || a.node.localeCompare(b.node)),
    [answer, isMissing],
  );
  return (
    <>
      <label className="field">
        <input type="checkbox" checked={isMissing} onChange={(event) => setIsMissing(event.target.checked)} />
        Only where something is missing
      </label>
      <VirtualTable
        label={`Account of ${mission}`}
        className="account"
        columns={[
          { name: "when", title: answer.by === "day" ? "Day (UTC)" : "Hour (UTC)", sort: "descending" },
          { name: "node", title: "Station" },
          { name: "link", title: "Link" },
          { name: "number", title: "APID" },
          { name: "fate-word", title: "Fate" },
          { name: "number percent", title: "Complete" },
          { name: "number live-count", title: "Live" },
          { name: "number backfilled-count", title: "Backfilled" },
          { name: "number missed-count", title: "Not received" },
          { name: "number lost-count", title: "Lost" },
        ]}
        count={rows.length}
        rowKey={(index) => keyOf(rows[index], index)}
      >
        {(index) => {
          const row = rows[index];
          return row === undefined ? null : <Cells row={row} />;
        }}
      </VirtualTable>
    </>
  );
}

function keyOf(row: CompletenessRow | undefined, index: number): string {
  return row === undefined ? String(index) : `${row.begins} ${row.node} ${row.link} ${row.apid}`;
}

function Cells({ row: { begins, node, link, apid, counts, percent } }: { row: CompletenessRow }) {
  const fate = fateOf(counts, null);
  return (
    <>
      <th scope="row">{begins ? dateAndTime(parseTime(begins)) : "all"}</th>
      <td>
        <bdi>{node}</bdi>
      </td>
      <td>
        <bdi>{link}</bdi>
      </td>
      <td className="number">{apid ?? "none"}</td>
      <td>
        <span className={`swatch fate ${fate}`} aria-hidden="true" /> {FATE_WORDS[fate]}
      </td>
      <td className="number">
        <Percent value={percent ?? null} />
      </td>
      <td className="number">{count(counts.received_live)}</td>
      <td className="number">{count(counts.backfilled)}</td>
      <td className="number">{count(counts.not_received)}</td>
      <td className="number">{count(lostIn(counts))}</td>
    </>
  );
}
