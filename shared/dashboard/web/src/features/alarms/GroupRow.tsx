// The head of a group of alarms that have one cause.
import { count, plural } from "../../format/quantity";
import { StatusSymbol } from "../../shell/StatusSymbol";
import { statusOf } from "./alarm";
import type { CauseGroup } from "./flood";

interface Props {
  group: CauseGroup;
  isOpen: boolean;
  columns: number;
  onToggle: () => void;
}

export function GroupCell({ group, isOpen, columns, onToggle }: Props) {
  const status = statusOf(group.worst);
  const first = group.members[0]?.alarm.parameter ?? "";
  return (
    <th scope="rowgroup" colSpan={columns}>
      <button type="button" className="quiet" aria-expanded={isOpen} onClick={onToggle}>
        <span aria-hidden="true">{isOpen ? "▾" : "▸"}</span> <bdi>{group.title}</bdi>
      </button>{" "}
      <StatusSymbol status={status} hollow={group.ringing === 0} />{" "}
      <span className={`state ${status}`}>{group.worst}</span> · {plural(group.members.length, "alarm")},{" "}
      {count(group.ringing)} unacknowledged · since {group.span} · first <bdi>{first}</bdi>
    </th>
  );
}
