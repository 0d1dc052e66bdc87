// What stands around a list of administration: what it is, what can be made, and why nothing is listed.
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Failure, Loading } from "../../shell/Notice";
import { ActButton } from "./ActButton";

interface Props<T> {
  title: string;
  text: ReactNode;
  /** What the button makes, and what it says. */
  make?: { text: string; onMake: () => void };
  refusal: string | null;
  answer: UseQueryResult<T>;
  isEmpty: (data: T) => boolean;
  empty: string;
  children: (data: T) => ReactNode;
}

export function Listing<T>({ title, text, make, refusal, answer, isEmpty, empty, children }: Props<T>) {
  const { data } = answer;
  return (
    <section className="listing" aria-label={title}>
      <header className="page-head">
        <p className="faint">{text}</p>
        <span className="grow" />
        {make === undefined ? null : <ActButton text={make.text} refusal={refusal} onAct={make.onMake} />}
      </header>
      {answer.isError ? <Failure error={answer.error} onRetry={() => void answer.refetch()} /> : null}
      {refusal === null && data === undefined && answer.isPending ? (
        <Loading what={title.toLowerCase()} />
      ) : null}
      {data === undefined ? null : isEmpty(data) ? (
        <p className="empty">{empty}</p>
      ) : (
        <div className="panel scroll-x">{children(data)}</div>
      )}
    </section>
  );
}

export function Heads({ titles }: { titles: readonly string[] }) {
  return (
    <thead>
      <tr>
        {titles.map((title) => (
          <th key={title} scope="col">
            {title}
          </th>
        ))}
      </tr>
    </thead>
  );
}
