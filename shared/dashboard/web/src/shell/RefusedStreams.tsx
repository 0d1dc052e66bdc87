// Says on every page whose values and curves the server does not stream, because they look merely old.
import { useRefusedStreams } from "../live/hooks";
import { StatusSymbol } from "./StatusSymbol";

const WORDS = { traces: "curves", values: "values" };

export function RefusedStreams() {
  return useRefusedStreams().map(({ purpose, mission, refusal }) => (
    <div key={`${purpose} ${mission}`} className="notice serious" role="alert">
      <StatusSymbol status="serious" />
      <div>
        <strong>
          New {WORDS[purpose]} of {mission} are not streamed to this page
        </strong>
        <p>
          {refusal.detail} <code>{refusal.code}</code>
        </p>
        <p>
          What is shown says how old it is, and reading history goes on. The server is asked again as soon as
          this page wants something else less; else leave this page, or close panels of it.
        </p>
      </div>
    </div>
  ));
}
