// Sends what people do about alarms, and tells what came of it.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { acknowledgeAlarms, actOnAlarm, alarmQuery } from "../../api/alarms";
import { explain, isUnauthorized, ProblemError } from "../../api/client";
import type { AlarmAct } from "../../types";
import { newActId } from "./alarm";
import { acknowledgements, type Batch, type Seen } from "./selection";

export interface NotDone {
  id: string;
  parameter: string;
  why: string;
}

export interface Outcome {
  done: number;
  notDone: NotDone[];
}

/** Requests that are under way at once. */
const AT_ONCE = 4;
/** A lost answer is asked for again with the same id, which is the same act. */
const retry = (failures: number, failed: Error) => !(failed instanceof ProblemError) && failures < 2;

interface One {
  act: AlarmAct;
  note: string;
  id: string;
  /** What was typed for it may go now. */
  onDone: () => void;
}

/** Acts on one alarm whose history is shown. */
export function useAct(mission: string, alarm: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ act, note, id }: One) => actOnAlarm(mission, alarm, body(act, note, id)),
    retry,
    onSuccess: (history, { onDone }) => {
      onDone();
      client.setQueryData(alarmQuery(mission, alarm).queryKey, history);
      void client.invalidateQueries({ queryKey: ["alarms", mission] });
      void client.invalidateQueries({ queryKey: ["closed-alarms"] });
    },
  });
}

/** What is to be done to all of the alarms. Made once, so that a second try is the same acts. */
export type Job =
  | { kind: "acknowledge"; batches: Batch[]; names: Map<string, string> }
  | { kind: "each"; acts: { seen: Seen; act: AlarmAct; id: string }[]; note: string };

export function acknowledgeJob(will: readonly Seen[], note: string): Job {
  const names = new Map(will.map((seen) => [seen.id, seen.parameter]));
  return { kind: "acknowledge", batches: acknowledgements(will, note), names };
}

export function eachJob(will: readonly Seen[], note: string, act: AlarmAct): Job {
  return { kind: "each", acts: will.map((seen) => ({ seen, act, id: newActId() })), note };
}

export function useBulkActs() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (job: Job) => (job.kind === "acknowledge" ? acknowledgeAll(job) : actOnEach(job)),
    retry,
    onSettled: () =>
      Promise.all(
        ["alarms", "alarm", "closed-alarms"].map((key) => client.invalidateQueries({ queryKey: [key] })),
      ),
  });
}

async function acknowledgeAll({ batches, names }: Extract<Job, { kind: "acknowledge" }>): Promise<Outcome> {
  const outcome: Outcome = { done: 0, notDone: [] };
  for (const { mission, body } of batches) {
    const answer = await acknowledgeAlarms(mission, body);
    outcome.done += answer.done.length;
    for (const { alarm, detail, code } of answer.refused)
      outcome.notDone.push({ id: alarm, parameter: names.get(alarm) ?? alarm, why: `${detail} (${code})` });
  }
  return outcome;
}

async function actOnEach({ acts, note }: Extract<Job, { kind: "each" }>): Promise<Outcome> {
  const outcome: Outcome = { done: 0, notDone: [] };
  const left = [...acts];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { seen, act, id } = next;
      try {
        await actOnAlarm(seen.mission, seen.id, body(act, note, id));
        outcome.done += 1;
      } catch (failed) {
        // Without a login or a server the others would fail as well: the whole is told, and tried again as the same acts.
        if (!(failed instanceof ProblemError) || isUnauthorized(failed)) throw failed;
        const { detail, code } = explain(failed);
        outcome.notDone.push({ id: seen.id, parameter: seen.parameter, why: `${detail} (${code})` });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcome;
}

function body(act: AlarmAct, note: string, id: string) {
  return { act, id, ...(note.trim() === "" ? {} : { note }) };
}
