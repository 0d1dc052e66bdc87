// All versions of the rules document, and what changed between two of them.

import { count } from "../../format/quantity";
import { dateAndTime, parseTime } from "../../format/time";
import { CompareLink } from "../../shell/CompareLink";
import type { RulesVersion } from "../../types";

interface Props {
  versions: readonly RulesVersion[];
  /** The versions that are compared now. */
  compared: readonly [number, number] | null;
}

export function RulesVersions({ versions, compared }: Props) {
  return (
    <div className="panel scroll-x">
      <table className="grid" aria-label="Versions of the rules">
        <thead>
          <tr>
            <th scope="col" className="number">
              Version
            </th>
            <th scope="col">Says of itself</th>
            <th scope="col">Saved (UTC)</th>
            <th scope="col">By</th>
            <th scope="col">Why</th>
            <th scope="col" className="number">
              Left out
            </th>
            <th scope="col">Changes</th>
          </tr>
        </thead>
        <tbody>
          {versions.map((version, index) => {
            const before = versions[index + 1]?.number;
            const isCompared = compared?.[1] === version.number && compared[0] === before;
            return (
              <tr key={version.number}>
                <th scope="row" className="number">
                  {version.number}
                </th>
                <td>version {version.document_version}</td>
                <td>{dateAndTime(parseTime(version.imported_at))}</td>
                <td>
                  <bdi>{version.author}</bdi>
                </td>
                <td title={version.reason}>
                  <bdi>{version.reason}</bdi>
                </td>
                <td className="number">{count(version.problems.length)}</td>
                <td>
                  {before === undefined ? (
                    <span className="faint">the first</span>
                  ) : (
                    <CompareLink
                      before={before}
                      version={version.number}
                      isCompared={isCompared}
                      text={`Since ${before}`}
                    />
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
