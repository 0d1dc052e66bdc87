// What is wrong with a document; each leads to its line.
import { plural } from "../../format/quantity";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { RulesProblem } from "../../types";

interface Props {
  problems: readonly RulesProblem[];
  onGo: (line: number, column: number) => void;
}

export function Problems({ problems, onGo }: Props) {
  if (problems.length === 0) return null;
  return (
    <section className="notice serious" aria-label="What is wrong">
      <StatusSymbol status="serious" />
      <div>
        <strong>{plural(problems.length, "part")} left out.</strong> All others count.
        <ul className="problems">
          {problems.map(({ line, column, message }) => (
            <li key={`${line}:${column}:${message}`}>
              <button type="button" className="quiet" onClick={() => onGo(line, column)}>
                Line {line}:{column}
              </button>{" "}
              <bdi>{message}</bdi>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}
