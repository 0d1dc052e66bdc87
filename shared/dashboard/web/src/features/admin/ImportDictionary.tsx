// Brings in a version of a dictionary in two steps: first the server says what it would change, then it is imported.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type DictionaryImport, dictionaryQuery, importDictionary } from "../../api/admin";
import { forgetDescriptions } from "../../api/queries";
import { parseTime } from "../../format/time";
import { DictionaryChanges } from "./DictionaryChanges";
import { FormDialog } from "./FormDialog";

/** The server takes no more. */
const BYTES_MAX = 64 * 1024 * 1024;

interface Chosen {
  fileName: string;
  text: string;
}

export function ImportDictionary({ mission, onClose }: { mission: string; onClose: () => void }) {
  const queries = useQueryClient();
  const [file, setFile] = useState<Chosen | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [effectiveFrom, setEffectiveFrom] = useState("");
  const [reason, setReason] = useState("");
  const asked = (isDryRun: boolean) => ({
    fileName: file?.fileName ?? "",
    text: file?.text ?? "",
    effectiveFrom: effectiveFrom.trim(),
    reason: reason.trim(),
    isDryRun,
  });
  const trial = useMutation({ mutationFn: () => importDictionary(mission, asked(true)) });
  const act = useMutation({
    mutationFn: () => importDictionary(mission, asked(false)),
    onSuccess: async () => {
      onClose();
      forgetDescriptions(queries, mission);
      await queries.invalidateQueries({ queryKey: dictionaryQuery(mission).queryKey });
    },
  });
  const change = (apply: () => void) => {
    apply();
    // What was tried is not what would be imported any more.
    trial.reset();
    act.reset();
  };
  const choose = async (chosen: File | undefined) => {
    if (chosen === undefined) return;
    const isTooLong = chosen.size > BYTES_MAX;
    const text = isTooLong ? "" : await chosen.text();
    change(() => {
      setProblem(isTooLong ? `${chosen.name} has more than 64 MiB: the server takes no more.` : null);
      setFile(isTooLong ? null : { fileName: chosen.name, text });
    });
  };
  const isTimeWrong = effectiveFrom.trim() !== "" && Number.isNaN(parseTime(effectiveFrom.trim()));
  const tried = trial.data ?? null;
  return (
    <FormDialog
      title={`Import a dictionary of ${mission}`}
      submit={tried === null ? "Show what it would change" : "Import it"}
      refusal={
        file === null
          ? (problem ?? "Choose a file.")
          : isTimeWrong
            ? "Write the time as 2026-11-22T12:00:00Z."
            : refusalOf(tried)
      }
      busy={trial.isPending || act.isPending}
      error={trial.error ?? act.error}
      onSubmit={() => (tried === null ? trial.mutate() : act.mutate())}
      onClose={onClose}
    >
      <label>
        XTCE file
        <input
          type="file"
          accept=".xml,.xtce,text/xml,application/xml"
          onChange={(event) => void choose(event.target.files?.[0])}
        />
      </label>
      <label>
        In force from, UTC; empty: from now on
        <input
          value={effectiveFrom}
          placeholder="2026-11-22T12:00:00Z"
          onChange={(event) => change(() => setEffectiveFrom(event.target.value))}
        />
      </label>
      <label>
        Why
        <input
          value={reason}
          maxLength={1000}
          onChange={(event) => change(() => setReason(event.target.value))}
        />
      </label>
      {tried === null ? null : <DictionaryChanges tried={tried} />}
    </FormDialog>
  );
}

function refusalOf(tried: DictionaryImport | null): string | null {
  return tried?.outcome === "known"
    ? `Version ${tried.number} says the same: there is nothing to import.`
    : null;
}
