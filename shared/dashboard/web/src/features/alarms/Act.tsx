// A button that says why it cannot be pressed.
interface Props {
  text: string;
  /** Why not; `null` when it can be done. */
  refusal: string | null;
  className?: string;
  onAct: () => void;
}

export function Act({ text, refusal, className, onAct }: Props) {
  return (
    <button
      type="button"
      className={className}
      aria-disabled={refusal !== null}
      aria-description={refusal ?? undefined}
      title={refusal ?? undefined}
      onClick={() => refusal === null && onAct()}
    >
      {text}
    </button>
  );
}
