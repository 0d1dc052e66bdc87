// What changed between two texts: a sign, a word for those who do not see it, and a colour.
import { useMemo } from "react";
import { lineDiff, withContext } from "./lineDiff";

const AROUND = 3;
const SIGNS = { added: "+", kept: " ", removed: "−" } as const;

interface Props {
  label: string;
  before: string;
  after: string;
}

export function DiffView({ label, before, after }: Props) {
  const lines = useMemo(() => withContext(lineDiff(before, after), AROUND), [before, after]);
  if (before === after) return <p className="faint">Both are the same.</p>;
  return (
    <section className="diff" aria-label={label}>
      <table>
        <tbody>
          {lines.map((line, index) =>
            line === null ? (
              // biome-ignore lint/suspicious/noArrayIndexKey: lines left out have no other name, and the list is drawn anew as a whole.
              <tr key={`gap-${index}`} className="faint">
                <td colSpan={4}>…</td>
              </tr>
            ) : (
              <tr key={`${line.before}-${line.after}`} className={line.kind}>
                <td className="number">{line.before}</td>
                <td className="number">{line.after}</td>
                <td>
                  <span aria-hidden="true">{SIGNS[line.kind]}</span>
                  {line.kind === "kept" ? null : <span className="visually-hidden">{line.kind}: </span>}
                </td>
                <td>
                  <bdi>{line.text}</bdi>
                </td>
              </tr>
            ),
          )}
        </tbody>
      </table>
    </section>
  );
}
