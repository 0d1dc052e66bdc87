// The list twin of the bars.
import { memo } from "react";
import { bytes, count } from "../../format/quantity";
import { clockTime, dateAndTime, duration, parseTime, wholeDuration } from "../../format/time";
import { type Status, StatusSymbol } from "../../shell/StatusSymbol";
import { VirtualTable } from "../../table/VirtualTable";
import type { Pass, PassMoment } from "../../types";
import { countdown, type Phase, phaseAt } from "./pass";

const PHASES: Record<Phase, [Status, string]> = {
  past: ["off", "past"],
  "to-come": ["standby", "to come"],
  "under-way": ["normal", "under way"],
};

interface Props {
  passes: readonly Pass[];
  now: number;
  conflicts: ReadonlySet<string>;
  selected: string | null;
  onSelect: (pass: string) => void;
}

const COLUMNS = [
  { name: "phase", title: "Phase" },
  { name: "spacecraft", title: "Spacecraft" },
  { name: "station", title: "Station" },
  { name: "edge", title: "AOS (UTC)" },
  { name: "highest", title: "Highest" },
  { name: "edge los", title: "LOS (UTC)" },
  { name: "lasts", title: "Duration" },
  { name: "received", title: "Received" },
];

export const PassTable = memo(function PassTable({ passes, now, conflicts, selected, onSelect }: Props) {
  // What is over stands above what is to come, a scroll away.
  const open = passes.findIndex((pass) => phaseAt(pass, now) !== "past");
  return (
    <VirtualTable
      label="Passes"
      startAt={Math.max(0, open)}
      className="passes"
      columns={COLUMNS}
      count={passes.length}
      rowKey={(index) => passes[index]?.id ?? index}
      isSelected={(index) => passes[index]?.id === selected}
    >
      {(index) => {
        const pass = passes[index];
        return pass === undefined ? null : (
          <Cells pass={pass} now={now} inConflict={conflicts.has(pass.id)} onSelect={onSelect} />
        );
      }}
    </VirtualTable>
  );
});

interface CellsProps {
  pass: Pass;
  now: number;
  inConflict: boolean;
  onSelect: (pass: string) => void;
}

function Cells({ pass, now, inConflict, onSelect }: CellsProps) {
  const phase = phaseAt(pass, now);
  const [status, word] = PHASES[phase];
  return (
    <>
      <td>
        <StatusSymbol status={status} /> {word}
        {phase === "past" ? null : <span className="faint"> · {countdown(pass, now, wholeDuration)}</span>}
        {inConflict ? <span className="state caution"> conflict</span> : null}
      </td>
      <th scope="row">
        <button type="button" className="quiet" onClick={() => onSelect(pass.id)}>
          <bdi>{pass.spacecraft}</bdi>
        </button>
      </th>
      <td>
        <bdi>{pass.site}</bdi> <span className="faint">{pass.station}</span>
      </td>
      <td>{edge(pass.aos)}</td>
      <td>
        {clockTime(parseTime(pass.culmination.at))} · {Math.round(pass.elevation_max_deg)}°
      </td>
      <td>{edge(pass.los, pass.aos)}</td>
      <td>{pass.duration_s == null ? "–" : duration(pass.duration_s * 1000)}</td>
      <td>{received(pass)}</td>
    </>
  );
}

/** `after`: what stands beside it, of whose day it is unless it says so. */
function edge(moment: PassMoment | null | undefined, after?: PassMoment | null): string {
  if (!moment) return "out of the time looked at";
  const isSameDay = after?.at.slice(0, 10) === moment.at.slice(0, 10);
  const at = parseTime(moment.at);
  return `${isSameDay ? clockTime(at) : dateAndTime(at)} · ${Math.round(moment.azimuth_deg)}°`;
}

export function received(pass: Pass): string {
  if (!pass.received) return "–";
  if (pass.received.records === 0) return "nothing";
  return `${count(pass.received.records)} records, ${bytes(pass.received.bytes)} packed`;
}
