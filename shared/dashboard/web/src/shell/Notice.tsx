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

export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { title, detail, code } = explain(error);
  return (
    <div className="notice serious" role="alert">
      <StatusSymbol status="serious" />
      <div>
        <strong>{title}</strong>
        <p>
          {detail} {code === null ? null : <code>{code}</code>}
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
