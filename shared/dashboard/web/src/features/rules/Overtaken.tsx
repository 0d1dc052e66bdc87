// Somebody else saved rules while these were typed: what they changed, and what saving these would change of it.
import type { ReactNode } from "react";
import type { RulesVersion } from "../../types";
import { DiffView } from "./DiffView";

interface Props {
  newest: RulesVersion | null;
  /** The version that was there when typing began; `null` while it is not known. */
  begun: string | null;
  /** Why it is not known; `null` when nothing failed. */
  failure: ReactNode;
  /** Text of the newest version. */
  text: string;
  /** What is typed here. */
  draft: string;
  onGoOn: () => void;
}

export function Overtaken({ newest, begun, failure, text, draft, onGoOn }: Props) {
  const version = `version ${newest?.number ?? "?"}`;
  return (
    <section className="notice caution overtaken" aria-label="Saved by somebody else">
      <div>
        <p>
          <strong>V{version.slice(1)} was saved since you began</strong>
          {newest === null ? null : (
            <>
              {" "}
              by <bdi>{newest.author === "" ? "somebody" : newest.author}</bdi>:{" "}
              <bdi>{newest.reason === "" ? "no reason given" : newest.reason}</bdi>
            </>
          )}
          . Nothing you typed is lost.
        </p>
        {begun === null ? (
          failure
        ) : (
          <>
            <h2>What they changed</h2>
            <DiffView label={`What ${version} changed`} before={begun} after={text} />
          </>
        )}
        <h2>What saving yours changes of it</h2>
        <DiffView label="Your changes beside the newest version" before={text} after={draft} />
        <p>Saving replaces the whole text: take over into yours above what is to stay of {version}.</p>
        <button type="button" onClick={onGoOn}>
          Go on from {version}
        </button>
      </div>
    </section>
  );
}
