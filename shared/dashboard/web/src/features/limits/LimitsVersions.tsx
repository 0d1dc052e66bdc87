// All versions of a mission's limits, and what changed between two of them.
import { useQuery } from "@tanstack/react-query";
import { limitsDocumentQuery } from "../../api/limits";
import { dateAndTime, parseTime } from "../../format/time";
import { CompareLink } from "../../shell/CompareLink";
import { Failure, Loading } from "../../shell/Notice";
import type { LimitsVersion } from "../../types";
import { differences } from "./limits";

interface Props {
  versions: readonly LimitsVersion[];
  inForce: number | null;
  compared: readonly [number, number] | null;
}

export function LimitsVersions({ versions, inForce, compared }: Props) {
  return (
    <div className="panel scroll-x">
      <table className="grid" aria-label="Versions of the limits">
        <thead>
          <tr>
            <th scope="col" className="number">
              Version
            </th>
            <th scope="col">In force</th>
            <th scope="col">Saved (UTC)</th>
            <th scope="col">By</th>
            <th scope="col">Why</th>
            <th scope="col">Changes</th>
          </tr>
        </thead>
        <tbody>
          {versions.length === 0 ? (
            <tr>
              <td colSpan={6} className="faint">
                None: what the dictionary says counts.
              </td>
            </tr>
          ) : null}
          {versions.map((version, index) => {
            const before = versions[index + 1]?.number ?? 0;
            const isCompared = compared?.[0] === before && compared[1] === version.number;
            return (
              <tr key={version.number}>
                <th scope="row" className="number">
                  {version.number}
                </th>
                <td>
                  {version.number === inForce ? <strong>now, </strong> : null}
                  {spanText(version)}
                </td>
                <td>{version.imported_at ? dateAndTime(parseTime(version.imported_at)) : ""}</td>
                <td>
                  <bdi>{version.author ?? ""}</bdi>
                </td>
                <td title={version.note ?? undefined}>
                  <bdi>{version.note ?? ""}</bdi>
                </td>
                <td>
                  <CompareLink
                    before={before}
                    version={version.number}
                    isCompared={isCompared}
                    text={before === 0 ? "All of it" : `Since ${before}`}
                  />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function spanText({ effective_from: from, effective_to: to }: LimitsVersion): string {
  const begin = from ? `from ${dateAndTime(parseTime(from))}` : "from the beginning";
  return to ? `${begin} to ${dateAndTime(parseTime(to))}` : begin;
}

/** `versions`: the earlier, 0 for the dictionary alone, and the later one. */
export function Compared({ mission, versions }: { mission: string; versions: readonly [number, number] }) {
  const [from, to] = versions;
  const before = useQuery({ ...limitsDocumentQuery(mission, from), enabled: from > 0 });
  const after = useQuery(limitsDocumentQuery(mission, to));
  if (before.isError || after.isError) return <Failure error={before.error ?? after.error} />;
  if ((from > 0 && before.data === undefined) || after.data === undefined)
    return <Loading what="both versions" />;
  const rows = differences(before.data?.limits ?? [], after.data.limits);
  return (
    <div className="panel scroll-x">
      <table className="grid compared-limits" aria-label={`Changes from version ${from} to ${to}`}>
        <thead>
          <tr>
            <th scope="col">Parameter</th>
            <th scope="col">{from === 0 ? "Before" : `Version ${from}`}</th>
            <th scope="col">Version {to}</th>
          </tr>
        </thead>
        <tbody>
          {rows.length === 0 ? (
            <tr>
              <td colSpan={3} className="faint">
                Both say the same of every parameter.
              </td>
            </tr>
          ) : null}
          {rows.map((row) => (
            <tr key={row.parameter}>
              <th scope="row">
                <bdi>{row.parameter}</bdi>
              </th>
              <td>{row.before}</td>
              <td>{row.after}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
