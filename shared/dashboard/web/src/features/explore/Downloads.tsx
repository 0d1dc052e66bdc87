// What is shown as a file: all samples of the parameters in the range, up to where a replay stands.
import { type ExportFormat, exportPath } from "../../api/explore";
import { useTime } from "../../time/useTime";
import { DownloadLink } from "./DownloadLink";

const FORMATS: readonly [ExportFormat, string][] = [
  ["csv", "CSV"],
  ["jsonl", "JSON lines"],
  ["parquet", "Parquet"],
];

export function Downloads({ mission, names }: { mission: string; names: readonly string[] }) {
  const { mode, now, window: shown } = useTime();
  const to = mode.kind === "replay" ? now : shown.to;
  const refused =
    names.length === 0 ? "Choose a parameter first." : to > shown.from ? null : "The replay has not begun.";
  return (
    <fieldset className="downloads">
      <legend className="visually-hidden">Download all samples of the range</legend>
      <span className="faint" aria-hidden="true">
        Download
      </span>
      {FORMATS.map(([format, title]) => (
        <DownloadLink
          key={format}
          refused={refused}
          href={exportPath({ mission, format, parameters: names, from: shown.from, to })}
        >
          {title}
        </DownloadLink>
      ))}
    </fieldset>
  );
}
