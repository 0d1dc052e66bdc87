// Which elements passes are computed from, how old they are, and newer ones.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { elementsQuery, importElements } from "../../api/passes";
import { dateAndTime, duration, parseTime } from "../../format/time";
import { useRefusal } from "../../session/access";
import { Failure } from "../../shell/Notice";
import { StatusSymbol } from "../../shell/StatusSymbol";

export function Elements({ mission }: { mission: string }) {
  const client = useQueryClient();
  const elements = useQuery(elementsQuery(mission));
  const refused = useRefusal("operate");
  const [text, setText] = useState("");
  const importing = useMutation({
    mutationFn: () => importElements(mission, text),
    onSuccess: (answer) => {
      setText("");
      client.setQueryData(elementsQuery(mission).queryKey, answer);
      void client.invalidateQueries({
        predicate: ({ queryKey }) => ["passes", "track"].includes(String(queryKey[0])),
      });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (refused === null && text.trim() !== "" && !importing.isPending) importing.mutate();
  };
  return (
    <section className="panel elements" aria-label="Orbit elements">
      <h2>Orbit elements</h2>
      {elements.isError ? <Failure error={elements.error} onRetry={() => void elements.refetch()} /> : null}
      {elements.data?.spacecraft.length === 0 ? <p>None are known: no pass can be told.</p> : null}
      <ul>
        {elements.data?.spacecraft.map((of) => (
          <li key={of.spacecraft}>
            <details>
              <summary>
                <StatusSymbol status={of.warning ? "caution" : "normal"} /> <bdi>{of.spacecraft}</bdi>{" "}
                <span className="faint">
                  {of.catalog_number} · epoch {dateAndTime(parseTime(of.epoch))} ·{" "}
                  {duration(Math.abs(of.age_s) * 1000)} {of.age_s < 0 ? "ahead" : "old"}
                </span>
                {of.warning ? <span className="state caution"> {of.warning}</span> : null}
              </summary>
              <pre>{of.text}</pre>
              <p className="faint">
                Imported {dateAndTime(parseTime(of.imported_at))} by {of.imported_by}; version {of.versions}.
              </p>
            </details>
          </li>
        ))}
      </ul>
      <form onSubmit={submit}>
        <label>
          <span>Newer elements, as two lines (TLE) or OMM in JSON</span>
          <textarea
            rows={3}
            value={text}
            onChange={(event) => setText(event.target.value)}
            spellCheck={false}
          />
        </label>
        <button
          type="submit"
          aria-disabled={refused !== null || text.trim() === ""}
          title={refused ?? undefined}
        >
          Import
        </button>
        {refused === null ? null : <span className="faint"> {refused}</span>}
        {importing.isError ? <Failure error={importing.error} /> : null}
      </form>
    </section>
  );
}
