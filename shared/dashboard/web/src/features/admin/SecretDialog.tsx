// Shows a secret once. It is in this component only: when the dialog closes, nothing of it is left.
import { useId, useRef, useState } from "react";
import { Modal } from "../../shell/Modal";
import "./admin.css";

interface Props {
  title: string;
  /** What it is good for, and until when. */
  text: string;
  secret: string;
  /** The command or header it is used with. */
  usage: string;
  onClose: () => void;
}

export function SecretDialog({ title, text, secret, usage, onClose }: Props) {
  const label = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const [copied, setCopied] = useState<string | null>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
      setCopied("Copied.");
    } catch {
      // Without TLS browsers have no clipboard for pages.
      field.current?.select();
      setCopied("This browser does not let the page copy: it is selected now, press Ctrl+C.");
    }
  };
  return (
    <Modal title={title} onClose={onClose}>
      <div className="dialog-form">
        <p>{text}</p>
        <label htmlFor={label} className="faint">
          Shown this once; the hub keeps no copy
        </label>
        <textarea
          id={label}
          ref={field}
          className="secret"
          readOnly
          rows={secret.length > 60 ? 4 : 1}
          value={secret}
          spellCheck={false}
          autoComplete="off"
        />
        <p>
          Use it with <code>{usage}</code>
        </p>
        <p role="status">{copied}</p>
        <div className="dialog-acts">
          <button type="button" onClick={() => void copy()}>
            Copy
          </button>
          <button type="button" className="primary" onClick={onClose}>
            Done, forget it
          </button>
        </div>
      </div>
    </Modal>
  );
}
