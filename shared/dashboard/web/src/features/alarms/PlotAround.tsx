// Leads from an alarm to the curve around it.
import { Link } from "@tanstack/react-router";
import { writeMode } from "../../time/mode";

/** To each side. */
const AROUND_MS = 10 * 60_000;

interface Props {
  mission: string;
  parameter: string;
  /** Unix milliseconds. */
  at: number;
}

export function PlotAround({ mission, parameter, at }: Props) {
  const middle = Math.round(at);
  const t = writeMode({ kind: "fixed", from: middle - AROUND_MS, to: middle + AROUND_MS });
  return (
    <Link to="/m/$mission/explore" params={{ mission }} search={{ p: [parameter], t }}>
      Plot ±10 min
    </Link>
  );
}
