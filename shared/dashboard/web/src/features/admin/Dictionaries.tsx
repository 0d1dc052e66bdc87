// The versions of a mission's dictionary, and how a new one comes in.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type DictionaryDocument, dictionaryQuery, dictionaryTextPath } from "../../api/admin";
import { missionsQuery } from "../../api/queries";
import { bytes, count } from "../../format/quantity";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { SectionProps } from "./AdminPage";
import { ImportDictionary } from "./ImportDictionary";
import { Heads, Listing } from "./Listing";
import { Moment } from "./Moment";

interface Props extends SectionProps {
  mission: string | null;
  onMission: (mission: string) => void;
}

export function Dictionaries({ refusal, mission, onMission }: Props) {
  const missions = useQuery(missionsQuery).data ?? [];
  const shown = mission ?? missions[0]?.name ?? null;
  return (
    <>
      <label className="field">
        <span className="faint">Mission</span>
        <select value={shown ?? ""} onChange={(event) => onMission(event.target.value)}>
          {missions.map(({ name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
      </label>
      {shown === null ? null : <Versions key={shown} mission={shown} refusal={refusal} />}
    </>
  );
}

function Versions({ mission, refusal }: { mission: string; refusal: string | null }) {
  const answer = useQuery(dictionaryQuery(mission));
  const [isImporting, setImporting] = useState(false);
  return (
    <>
      <Listing
        title="Dictionary versions"
        text="What was made while a version was in force is decoded with that version."
        make={{ text: "Import a version", onMake: () => setImporting(true) }}
        refusal={refusal}
        answer={answer}
        isEmpty={(versions) => versions.length === 0}
        empty="This mission has no dictionary yet."
      >
        {(versions) => (
          <table className="grid">
            <caption>Versions, newest first</caption>
            <Heads
              titles={[
                "Version",
                "In force",
                "From",
                "Name",
                "Parameters",
                "Size",
                "Imported",
                "By",
                "Why",
                "Text",
              ]}
            />
            <tbody>
              {versions.map((version) => (
                <VersionRow key={version.number} mission={mission} version={version} />
              ))}
            </tbody>
          </table>
        )}
      </Listing>
      {isImporting ? <ImportDictionary mission={mission} onClose={() => setImporting(false)} /> : null}
    </>
  );
}

function VersionRow({ mission, version }: { mission: string; version: DictionaryDocument }) {
  return (
    <tr>
      <th scope="row">{version.number}</th>
      <td>
        <StatusSymbol status={version.in_force ? "normal" : "off"} />{" "}
        {version.in_force ? "in force" : "not now"}
      </td>
      <td>
        <Moment at={version.effective_from} absent="the beginning" />
      </td>
      <td>
        <bdi>{version.name ?? "being read"}</bdi> <bdi className="faint">{version.version}</bdi>
      </td>
      <td>{typeof version.parameter_count === "number" ? count(version.parameter_count) : "being read"}</td>
      <td>{bytes(version.bytes)}</td>
      <td>
        <Moment at={version.imported_at} />
      </td>
      <td>
        <bdi>{version.author ?? "nobody said"}</bdi>
      </td>
      <td title={version.reason ?? undefined}>
        <bdi>{version.reason}</bdi>
      </td>
      <td>
        <a href={dictionaryTextPath(mission, version.number)} download={version.file_name}>
          Download<span className="visually-hidden"> version {version.number}</span>
        </a>
      </td>
    </tr>
  );
}
