// Limits as they are typed: text that need not be numbers yet, and the change it asks for once it is.
import type { AlarmSeverity, LimitsChange, ParameterLimits } from "../../types";
import { SEVERITIES } from "../alarms/alarm";

export interface RangeDraft {
  low: string;
  high: string;
}

export interface ContextDraft {
  /** Empty: it holds always. */
  context: string;
  ranges: Partial<Record<AlarmSeverity, RangeDraft>>;
}

export interface OverlayDraft {
  kind: "overlay";
  contexts: ContextDraft[];
  persistence: string;
  hysteresis: string;
  deadband: string;
}

export type ParameterDraft = { kind: "dictionary" } | OverlayDraft;

export interface LimitsDraft {
  /** The newest version when typing began; `null` when there was none. */
  basedOn: number | null;
  note: string;
  /** RFC 3339; empty: from now on. */
  effectiveFrom: string;
  changes: Record<string, ParameterDraft>;
}

export function emptyDraft(newest: number | null): LimitsDraft {
  return { basedOn: newest, note: "", effectiveFrom: "", changes: {} };
}

/** What is in force, ready to be changed. */
export function draftOf(limits: ParameterLimits | undefined): OverlayDraft {
  const contexts = (limits?.contexts ?? []).map(({ context, ranges }) => ({
    context: context ?? "",
    ranges: Object.fromEntries(
      ranges
        .filter((range) => !range.is_of_bad_values)
        .map(({ severity, low, high }) => [severity, { low: textOf(low), high: textOf(high) }]),
    ),
  }));
  return {
    kind: "overlay",
    contexts: contexts.length === 0 ? [{ context: "", ranges: {} }] : contexts,
    persistence: String(limits?.persistence ?? 1),
    hysteresis: String(limits?.hysteresis ?? 0),
    deadband: String(limits?.deadband ?? 0),
  };
}

function textOf(bound: number | null | undefined): string {
  return typeof bound === "number" ? String(bound) : "";
}

const PERSISTENCE_MAX = 10_000;

/** What cannot be saved so, in words; the server looks at the rest. */
export function problemsOf(draft: ParameterDraft): string[] {
  if (draft.kind === "dictionary") return [];
  const problems: string[] = [];
  for (const { context, ranges } of draft.contexts) {
    const where = context === "" ? "" : ` while ${context}`;
    let inner: { severity: AlarmSeverity; low: number; high: number } | null = null;
    for (const severity of SEVERITIES) {
      const { low: lowText = "", high: highText = "" } = ranges[severity] ?? {};
      if (lowText.trim() === "" && highText.trim() === "") continue;
      const low = bound(lowText, Number.NEGATIVE_INFINITY);
      const high = bound(highText, Number.POSITIVE_INFINITY);
      if (low === null || high === null) {
        problems.push(`${severity}${where}: “${low === null ? lowText : highText}” is no number.`);
        continue;
      }
      if (low > high) problems.push(`${severity}${where}: ${lowText} is above ${highText}.`);
      if (inner !== null && (low > inner.low || high < inner.high))
        problems.push(`${severity}${where} must hold all of ${inner.severity}, which is less severe.`);
      inner = { severity, low, high };
    }
  }
  const persistence = bound(draft.persistence, 1);
  if (
    persistence === null ||
    !Number.isInteger(persistence) ||
    persistence < 1 ||
    persistence > PERSISTENCE_MAX
  )
    problems.push(`Successive violations: a whole number from 1 to ${PERSISTENCE_MAX}.`);
  for (const [name, text] of [
    ["Hysteresis", draft.hysteresis],
    ["Deadband", draft.deadband],
  ] as const) {
    const value = bound(text, 0);
    if (value === null || value < 0) problems.push(`${name}: a number, 0 or more.`);
  }
  const open = draft.contexts.findIndex(({ context }) => context.trim() === "");
  if (open >= 0 && open < draft.contexts.length - 1)
    problems.push("The limits without a condition stand last: those behind them would never count.");
  return problems;
}

/** `otherwise` for an empty field, `null` for what is no finite number. */
function bound(text: string, otherwise: number): number | null {
  if (text.trim() === "") return otherwise;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** What is asked of the server. Only for drafts without problems. */
export function changeOf(parameter: string, draft: ParameterDraft): LimitsChange {
  if (draft.kind === "dictionary") return { kind: "dictionary", parameter };
  return {
    kind: "overlay",
    parameter,
    contexts: draft.contexts.map(({ context, ranges }) => ({
      ...(context.trim() === "" ? {} : { context: context.trim() }),
      ranges: SEVERITIES.flatMap((severity) => {
        const { low = "", high = "" } = ranges[severity] ?? {};
        if (low.trim() === "" && high.trim() === "") return [];
        return [{ severity, ...end("low", low), ...end("high", high) }];
      }),
    })),
    persistence: bound(draft.persistence, 1),
    hysteresis: bound(draft.hysteresis, 0),
    deadband: bound(draft.deadband, 0),
  };
}

function end(name: "high" | "low", text: string): Partial<Record<"high" | "low", number>> {
  return text.trim() === "" ? {} : { [name]: Number(text) };
}
