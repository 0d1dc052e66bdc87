// What is shown while data is on its way, and when it did not come.
import { explain } from "../api/client";
import { StatusSymbol } from "./StatusSymbol";

export function Loading({ what }: { what: string }) {
  return (
    <p className="empty" role="status">
      Loading {what}…
    </p>
  );
}

/** What stands between backticks is typed at a prompt. */
function WithCommands({ text }: { text: string }) {
  let at = 0;
  return text.split("`").map((part, index) => {
    const key = at;
    at += part.length + 1;
    return index % 2 === 1 ? <code key={key}>{part}</code> : part;
  });
}

export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { title, detail, code } = explain(error);
  return (
    <div className="notice serious" role="alert">
      <StatusSymbol status="serious" />
      <div>
        <strong>{title}</strong>
        <p>
          <WithCommands text={detail} /> {code === null ? null : <code>{code}</code>}
        </p>
      </div>
      {onRetry === undefined ? null : (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
