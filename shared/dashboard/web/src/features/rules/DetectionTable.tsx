// Which detectors watch which parameters, a rule a row, in the order in which they are tried.
import { count } from "../../format/quantity";
import type { DetectionRule } from "../../types";
import { countingText, settingsText } from "./detection";

/** Names that are listed; the others are counted. */
const LISTED = 4;

interface Props {
  label: string;
  rules: readonly DetectionRule[];
  /** How many parameters each watches; `null` while they are not known. */
  watched: readonly number[] | null;
  /** Shows a rule in the text; `null` where the text is another. */
  onGo: ((line: number) => void) | null;
}

export function DetectionTable({ label, rules, watched, onGo }: Props) {
  return (
    <div className="panel scroll-x">
      <table className="grid detection" aria-label={label}>
        <caption>{label}</caption>
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col">Parameters</th>
            <th scope="col">Watches</th>
            <th scope="col">Severity</th>
            <th scope="col">Detectors, any of which counts</th>
            <th scope="col">Learns from</th>
            <th scope="col">Together</th>
          </tr>
        </thead>
        <tbody>
          {rules.length === 0 ? (
            <tr>
              <td colSpan={7} className="faint">
                None: limits count, and nothing else is looked for.
              </td>
            </tr>
          ) : null}
          {rules.map((rule, index) => (
            <tr key={rule.line}>
              <th scope="row">
                {onGo === null ? (
                  `Line ${rule.line}`
                ) : (
                  <button type="button" className="quiet" onClick={() => onGo(rule.line)}>
                    Line {rule.line}
                  </button>
                )}
              </th>
              <td title={rule.parameters.join("\n")}>
                <bdi>{rule.parameters.slice(0, LISTED).join(", ")}</bdi>
                {rule.parameters.length > LISTED ? ` and ${rule.parameters.length - LISTED} more` : ""}
              </td>
              <td>
                <Watched count={watched?.[index] ?? null} />
              </td>
              <td>{rule.severity}</td>
              <td>
                <Detectors rule={rule} />
              </td>
              <td>
                {count(rule.training_fit)} + {count(rule.training_calibrate)} usual samples
                {rule.mode === null || rule.mode === undefined ? null : (
                  <>
                    , in each <bdi>{rule.mode}</bdi>
                  </>
                )}
              </td>
              <td>{togetherText(rule)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Watched({ count: parameters }: { count: number | null }) {
  if (parameters === null) return null;
  return parameters === 0 ? (
    <span className="state caution" title="No parameter that is a number fits, or rules above name them all.">
      none
    </span>
  ) : (
    count(parameters)
  );
}

function Detectors({ rule }: { rule: DetectionRule }) {
  return (
    <ul>
      {rule.detectors.map((detector, index) => {
        const more = settingsText(detector, true);
        const counting = countingText(detector);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a detector may stand there twice; only its place tells it apart.
          <li key={index}>
            <strong>{detector.detector}</strong>{" "}
            <span className="faint">
              {settingsText(detector, false)}
              {counting === "" ? "" : `; ${counting}`}
            </span>
            {more === "" ? null : (
              <details>
                <summary>How it judges</summary>
                <span className="faint">{more}</span>
              </details>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function togetherText({ merge_within, linger, gap_max_s }: DetectionRule): string {
  const gap = gap_max_s === null || gap_max_s === undefined ? "" : `; anew after a gap of ${gap_max_s} s`;
  return `within ${count(merge_within)} samples, and ${count(linger)} after${gap}`;
}
