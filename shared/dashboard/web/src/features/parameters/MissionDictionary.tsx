// Which dictionary and which limits read the mission's packets now, since when, and what follows.
import { dateAndTime, parseTime } from "../../format/time";
import type { Mission } from "../../types";

export function MissionDictionary({ mission, serverNow }: { mission: Mission; serverNow: number }) {
  const { dictionary_version: number, dictionary_effective_from: since } = mission;
  const inForce = mission.dictionary_versions.find((version) => version.number === number);
  const document = [inForce?.name, inForce?.version].filter(Boolean).join(" ");
  const later = mission.dictionary_versions.filter(
    ({ effective_from: from }) => from && parseTime(from) > serverNow,
  );
  const limits = mission.limits_version ?? null;
  return (
    <>
      <p className="faint" data-testid="mission-dictionary">
        Dictionary version {number}
        {document === "" ? "" : ` (${document})`} in force{" "}
        {since ? `since ${dateAndTime(parseTime(since))}` : "from the beginning"} ·{" "}
        {limits === null ? "limits of the dictionary" : `limits version ${limits}`}
        {later.map(({ number: next, effective_from: from }) => (
          <span key={next}>
            {" "}
            · version {next} follows at {dateAndTime(parseTime(from ?? ""))}
          </span>
        ))}
      </p>
      {mission.dictionary_problem ? (
        <p className="notice caution" role="note">
          <strong>The configured dictionary is not in use.</strong> {mission.dictionary_problem}
        </p>
      ) : null}
    </>
  );
}
