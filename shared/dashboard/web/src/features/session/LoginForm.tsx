// Asks for a one-time code.
import { type FormEvent, useState } from "react";
import { Failure } from "../../shell/Notice";

interface Props {
  busy: boolean;
  error: unknown;
  onCode: (code: string) => void;
}

export function LoginForm({ busy, error, onCode }: Props) {
  const [code, setCode] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (code.trim() !== "" && !busy) onCode(code.trim());
  };
  return (
    <main className="login">
      <form className="panel" onSubmit={submit}>
        <h1>Space Telemetry Operations</h1>
        <label>
          <span>One-time code</span>
          <input
            className="code"
            value={code}
            onChange={(event) => setCode(event.target.value)}
            autoComplete="one-time-code"
            autoCapitalize="characters"
            spellCheck={false}
            aria-describedby="code-help"
            required
          />
        </label>
        <button type="submit" className="primary" aria-disabled={busy}>
          Log in
        </button>
        <p id="code-help" className="faint">
          Print one on the server: <code>cloud-hub login-code</code>, or <code>edge-node console</code> at a
          station. A code works once.
        </p>
        {error === null ? null : <Failure error={error} />}
      </form>
    </main>
  );
}
