// A dialog that asks for what an act needs.
import { type FormEvent, type ReactNode, useId } from "react";
import { Modal } from "../../shell/Modal";
import { Failure } from "../../shell/Notice";
import "./admin.css";

interface Props {
  title: string;
  /** What the button says that does it. */
  submit: string;
  /** Why it cannot be done yet; `null` when it can. */
  refusal: string | null;
  busy: boolean;
  error: unknown;
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
}

export function FormDialog({ title, submit, refusal, busy, error, onSubmit, onClose, children }: Props) {
  const why = useId();
  const cannot = busy ? "It is on its way." : refusal;
  const onForm = (event: FormEvent) => {
    event.preventDefault();
    if (cannot === null) onSubmit();
  };
  return (
    <Modal title={title} onClose={onClose}>
      <form className="dialog-form" onSubmit={onForm}>
        {children}
        {error === null ? null : <Failure error={error} />}
        <p id={why} className="faint" role="status">
          {cannot}
        </p>
        <div className="dialog-acts">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            className="primary"
            aria-disabled={cannot !== null}
            aria-describedby={why}
            title={cannot ?? undefined}
          >
            {submit}
          </button>
        </div>
      </form>
    </Modal>
  );
}
