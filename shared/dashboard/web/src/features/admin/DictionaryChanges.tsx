// What a version of a dictionary would change.
import type { DictionaryImport } from "../../api/admin";
import { count, plural } from "../../format/quantity";
import { dateAndTime, parseTime } from "../../format/time";
import { StatusSymbol } from "../../shell/StatusSymbol";

export function DictionaryChanges({ tried }: { tried: DictionaryImport }) {
  const { changes, number, effective_from: from, outcome } = tried;
  return (
    <section aria-label="What it would change" className="changes">
      <p>
        {outcome === "known" ? "Known as" : "It would be"} version {number}, in force from{" "}
        {from ? dateAndTime(parseTime(from)) : "the beginning"}: {count(changes.parameters_before)} parameters
        before, {count(changes.parameters_after)} after.
      </p>
      <Names title="New" total={changes.added_count} names={changes.added} />
      <Names
        title="Gone; what was received of them stays"
        total={changes.removed_count}
        names={changes.removed}
      />
      <details open={changes.changed_count > 0}>
        <summary>
          {changes.changed_count > 0 ? <StatusSymbol status="caution" /> : null} Of another kind or unit:{" "}
          {count(changes.changed_count)}
        </summary>
        <ul>
          {changes.changed.map((one) => (
            <li key={one.name}>
              <bdi>{one.name}</bdi>: {one.kind_before} {unit(one.unit_before)} → {one.kind_after}{" "}
              {unit(one.unit_after)}
            </li>
          ))}
        </ul>
        <More total={changes.changed_count} listed={changes.changed.length} />
      </details>
    </section>
  );
}

function unit(text: string | null | undefined): string {
  return text ? `(${text})` : "(no unit)";
}

function Names({ title, total, names }: { title: string; total: number; names: readonly string[] }) {
  return (
    <details>
      <summary>
        {title}: {count(total)}
      </summary>
      <ul>
        {names.map((name) => (
          <li key={name}>
            <bdi>{name}</bdi>
          </li>
        ))}
      </ul>
      <More total={total} listed={names.length} />
    </details>
  );
}

function More({ total, listed }: { total: number; listed: number }) {
  return total > listed ? <p className="faint">and {plural(total - listed, "parameter")} more</p> : null;
}
