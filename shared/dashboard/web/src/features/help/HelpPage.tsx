// The handbook: its contents, one page, and a search over all of it.

import { useQuery } from "@tanstack/react-query";
import { Link, useLocation, useParams } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Failure, Loading } from "../../shell/Notice";
import { SearchField } from "../../shell/SearchField";
import "./help.css";
import { manualIndexQuery, manualPageQuery, manualSearchQuery, searchManual } from "./manual";
import { Parts } from "./Parts";

const FIRST = "introduction";

export function HelpPage() {
  const { _splat: name } = useParams({ strict: false }) as { _splat?: string };
  const [words, setWords] = useState("");
  return (
    <>
      <header className="page-head">
        <h1>Handbook</h1>
        <SearchField
          label="Search the handbook"
          value={words}
          placeholder="Search the handbook, for example an error's code"
          onSearch={setWords}
        />
        <a href="/api/docs">API reference</a>
      </header>
      <div className="manual">
        <Contents />
        {words.trim() === "" ? (
          <Page key={name ?? FIRST} name={name === undefined || name === "" ? FIRST : name} />
        ) : (
          <Results words={words} onOpen={() => setWords("")} />
        )}
      </div>
    </>
  );
}

function Contents() {
  const index = useQuery(manualIndexQuery);
  return (
    <nav aria-label="Handbook" className="panel manual-contents">
      {(index.data ?? []).map(({ title, pages }) => (
        <section key={title}>
          {title === "" ? null : <h2>{title}</h2>}
          <ul>
            {pages.map((page) => (
              <li key={page.name} className={page.depth > 0 ? "deeper" : ""}>
                <Link to="/help/$" params={{ _splat: page.name }} activeProps={{ "aria-current": "page" }}>
                  {page.title}
                </Link>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}

function Page({ name }: { name: string }) {
  const page = useQuery(manualPageQuery(name));
  const { hash } = useLocation();
  const isThere = page.data !== undefined;
  // The page comes after the address: what the address points at is looked for when it is there.
  useEffect(() => {
    if (isThere && hash !== "") document.getElementById(hash)?.scrollIntoView();
  }, [isThere, hash]);
  if (page.data === undefined)
    return page.isError ? (
      <Failure error={page.error} onRetry={() => void page.refetch()} />
    ) : (
      <Loading what="page" />
    );
  return (
    <article className="panel manual-page">
      <Parts parts={page.data} />
    </article>
  );
}

function Results({ words, onOpen }: { words: string; onOpen: () => void }) {
  const sections = useQuery(manualSearchQuery);
  if (sections.data === undefined)
    return sections.isError ? <Failure error={sections.error} /> : <Loading what="handbook" />;
  const found = searchManual(sections.data, words);
  return (
    <article className="panel manual-page" aria-label="Found">
      {found.length === 0 ? <p>Nothing in the handbook has all these words.</p> : null}
      <ul>
        {found.map((section) => (
          <li key={`${section.page}#${section.id}`}>
            <Link to="/help/$" params={{ _splat: section.page }} hash={section.id} onClick={onOpen}>
              {section.heading}
            </Link>{" "}
            <span className="faint">{section.title}</span>
            <p className="faint">{section.excerpt}</p>
          </li>
        ))}
      </ul>
    </article>
  );
}
