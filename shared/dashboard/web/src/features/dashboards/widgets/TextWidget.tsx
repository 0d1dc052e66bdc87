// A note that stays on the dashboard: paragraphs of plain text.
import { textOf } from "../layout/opts";
import type { WidgetProps } from "./kinds";

export function TextWidget({ opts }: WidgetProps) {
  return (
    <p className="note-text" dir="auto">
      {textOf(opts, "text")}
    </p>
  );
}
