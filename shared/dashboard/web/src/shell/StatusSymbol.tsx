// A status as a shape and a colour. The word beside it is the caller's: a symbol never stands alone.

export type Status = "caution" | "critical" | "invalid" | "normal" | "off" | "serious" | "standby";

interface Props {
  status: Status;
  /** Old information keeps its shape and loses its filling. */
  hollow?: boolean;
}

export function StatusSymbol({ status, hollow = false }: Props) {
  return (
    <svg
      className={`symbol ${status}${hollow ? " hollow" : ""}`}
      viewBox="0 0 16 16"
      width="12"
      height="12"
      aria-hidden="true"
      focusable="false"
    >
      {SHAPES[status]}
    </svg>
  );
}

const SHAPES: Record<Status, React.ReactNode> = {
  caution: <rect x="2.5" y="2.5" width="11" height="11" />,
  critical: <path d="M8 1.5 15 14H1Z" />,
  invalid: <path className="outline" d="M3 3 13 13M13 3 3 13" />,
  normal: <circle cx="8" cy="8" r="6" />,
  off: <circle className="outline" cx="8" cy="8" r="5.5" />,
  serious: <path d="M8 1 15 8 8 15 1 8Z" />,
  standby: (
    <>
      <circle className="outline" cx="8" cy="8" r="6" />
      <circle cx="8" cy="8" r="2.5" />
    </>
  ),
};
