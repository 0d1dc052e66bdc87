// A button that says why it does nothing, where it does nothing.
interface Props {
  text: string;
  /** What it acts on, for those who hear the button without its row. */
  about?: string;
  /** Why not; `null` when it can be done. */
  refusal: string | null;
  onAct: () => void;
}

export function ActButton({ text, about, refusal, onAct }: Props) {
  return (
    <button
      type="button"
      aria-disabled={refusal !== null}
      title={refusal ?? undefined}
      {...(about === undefined ? {} : { "aria-label": `${text} ${about}` })}
      onClick={() => refusal === null && onAct()}
    >
      {text}
    </button>
  );
}
