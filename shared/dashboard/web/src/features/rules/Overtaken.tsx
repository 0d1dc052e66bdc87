// Somebody else saved rules while these were typed: what they changed, and what saving these would change of it.
import type { RulesVersion } from "../../types";
import { DiffView } from "./DiffView";

interface Props {
  newest: RulesVersion | null;
  /** The version that was there when typing began; `null` while it is not known. */
  begun: string | null;
  /** Text of the newest version. */
  text: string;
  /** What is typed here. */
  draft: string;
  onGoOn: () => void;
}

export function Overtaken({ newest, begun, text, draft, onGoOn }: Props) {
  const version = `version ${newest?.number ?? "?"}`;
  return (
    <section className="notice caution" aria-label="Saved by somebody else">
      <div>
        <strong>V{version.slice(1)} was saved since you began</strong>
        {newest === null ? null : (
          <>
            {" "}
            by <bdi>{newest.author === "" ? "somebody" : newest.author}</bdi>:{" "}
            <bdi>{newest.reason === "" ? "no reason given" : newest.reason}</bdi>
          </>
        )}
        . Nothing you typed is lost.
        {begun === null ? null : (
          <>
            <h3>What they changed</h3>
            <DiffView label={`What ${version} changed`} before={begun} after={text} />
          </>
        )}
        <h3>What saving yours changes of it</h3>
        <DiffView label="Your changes beside the newest version" before={text} after={draft} />
        <p>Saving replaces the whole text: take over into yours above what is to stay of {version}.</p>
      </div>
      <button type="button" onClick={onGoOn}>
        Go on from {version}
      </button>
    </section>
  );
}
