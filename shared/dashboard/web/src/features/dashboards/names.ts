// What dashboards and their widgets are called where nobody gave them a name, and ids that nobody else has.
import type { DashboardAudience, Widget } from "../../types";
import { newActId } from "../alarms/alarm";
import { parametersOf, textOf } from "./layout/opts";
import { kindOf } from "./widgets/kinds";

export const AUDIENCES: Record<DashboardAudience, string> = {
  author: "only its author",
  operators: "operators of the mission",
  everyone: "whoever may see the mission",
};

/** The widget's heading, else its parameters, else its kind. */
export function nameOf({ kind, opts }: Pick<Widget, "kind" | "opts">): string {
  const title = textOf(opts, "title").trim();
  if (title !== "") return title;
  const names = parametersOf(opts)
    .slice(0, 3)
    .map((name) => String(name).slice(String(name).lastIndexOf("/") + 1));
  const more = parametersOf(opts).length > names.length ? ", …" : "";
  return names.length > 0 ? names.join(", ") + more : (kindOf(kind)?.label ?? kind);
}

export function newWidgetId(): string {
  return `w${newActId().slice(0, 15)}`;
}

export function newDashboardId(): string {
  return newActId();
}
