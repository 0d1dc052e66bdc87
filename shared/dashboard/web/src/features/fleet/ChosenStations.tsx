// What was chosen on the map: a station, or several at one place.
import { Link } from "@tanstack/react-router";
import { StatusSymbol } from "../../shell/StatusSymbol";
import { PARTS, type StationRow } from "./status";

export function ChosenStations({ rows, onClose }: { rows: readonly StationRow[]; onClose: () => void }) {
  return (
    <div aria-live="polite">
      {rows.length === 0 ? null : (
        <section className="panel chosen" aria-label="Chosen on the map">
          <header className="page-head">
            <h2>{rows.length === 1 ? "Station" : `${rows.length} stations here`}</h2>
            <span className="grow" />
            <button type="button" className="quiet" onClick={onClose}>
              Close
            </button>
          </header>
          {rows.map((row) => (
            <ChosenStation key={row.node.name} row={row} isAlone={rows.length === 1} />
          ))}
        </section>
      )}
    </div>
  );
}

function ChosenStation({
  row: { node, cells, worst, word, stale, hollow },
  isAlone,
}: {
  row: StationRow;
  isAlone: boolean;
}) {
  return (
    <>
      <p>
        <StatusSymbol status={worst} hollow={hollow} />{" "}
        <Link to="/nodes/$node" params={{ node: node.name }}>
          <bdi>{node.site}</bdi>
        </Link>{" "}
        <bdi className="faint">{node.name}</bdi> {word}
        {stale ? <span className="lost"> · last known</span> : null}
      </p>
      {isAlone ? (
        <dl className="parts">
          {PARTS.map((part) => (
            <div key={part} title={cells[part].why}>
              <dt>{part}</dt>
              <dd>
                <StatusSymbol status={cells[part].status} hollow={stale} /> {cells[part].word}
              </dd>
            </div>
          ))}
        </dl>
      ) : null}
    </>
  );
}
