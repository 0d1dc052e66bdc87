// Somebody else saved limits while these were typed: what they changed, beside what is typed here.
import type { ParameterLimits } from "../../types";
import { changeOf, type LimitsDraft, problemsOf } from "./draft";
import { limitsText } from "./limits";

interface Props {
  newest: number | null;
  draft: LimitsDraft;
  limitsOf: (parameter: string) => ParameterLimits | undefined;
  onGoOn: () => void;
}

export function Conflict({ newest, draft, limitsOf, onGoOn }: Props) {
  return (
    <section className="notice caution" aria-label="Saved by somebody else">
      <div>
        <strong>Version {newest ?? "?"} was saved since you began.</strong> Nothing you typed is lost. Only
        the parameters you changed are changed by saving; all others stay as version {newest ?? "?"} says.
        <table className="grid">
          <thead>
            <tr>
              <th scope="col">Parameter</th>
              <th scope="col">In force now</th>
              <th scope="col">Yours</th>
            </tr>
          </thead>
          <tbody>
            {Object.entries(draft.changes).map(([parameter, change]) => (
              <tr key={parameter}>
                <th scope="row">
                  <bdi>{parameter}</bdi>
                </th>
                <td>{limitsText(limitsOf(parameter))}</td>
                <td>{problemsOf(change).length > 0 ? "not complete yet" : yours(parameter, change)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <button type="button" onClick={onGoOn}>
        Go on from version {newest ?? "?"}
      </button>
    </section>
  );
}

function yours(parameter: string, draft: LimitsDraft["changes"][string]): string {
  const change = changeOf(parameter, draft);
  if (change.kind === "dictionary") return limitsText(undefined);
  return limitsText({
    parameter,
    source: "overlay",
    contexts: change.contexts.map(({ context, ranges }) => ({
      context: context ?? null,
      ranges: ranges.map((range) => ({
        ...range,
        holds_low: true,
        holds_high: true,
        is_of_bad_values: false,
      })),
      labels: [],
    })),
    persistence: change.persistence ?? 1,
    hysteresis: change.hysteresis ?? 0,
    deadband: change.deadband ?? 0,
  });
}
