// Any parameters over any range: as lines, against each other, as numbers, as a table and as a file.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { parametersQuery } from "../../api/queries";
import { Failure, Loading } from "../../shell/Notice";
import type { ParameterDescription } from "../../types";
import { AddParameter } from "./AddParameter";
import { Correlate } from "./Correlate";
import { Downloads } from "./Downloads";
import { Lines } from "./Lines";
import { PARAMETERS_MAX, VIEWS, type View } from "./routes";
import { StatisticsView } from "./StatisticsView";
import { ValueTiles } from "./ValueTiles";
import "./explore.css";

const route = getRouteApi("/m/$mission/explore");
const NONE: readonly string[] = [];

const VIEW_NAMES: Record<View, string> = {
  correlate: "Correlate",
  lines: "Lines",
  statistics: "Statistics",
};

export function ExplorePage() {
  const { mission } = route.useParams();
  const { p: names = NONE, view = "lines", table = false, pair } = route.useSearch();
  const navigate = route.useNavigate();
  const descriptions = useQuery(parametersQuery(mission));
  const known = useMemo(
    () => names.flatMap((name) => descriptions.data?.find((parameter) => parameter.name === name) ?? []),
    [names, descriptions.data],
  );
  const setNames = (p: string[]) =>
    void navigate({ search: (old) => ({ ...old, p, pair: undefined }), replace: true });
  const isFull = names.length >= PARAMETERS_MAX;
  return (
    <div className="explore">
      <header className="page-head">
        <h1>Explore</h1>
        <fieldset className="segments">
          <legend className="visually-hidden">View</legend>
          {VIEWS.map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={name === view}
              onClick={() =>
                void navigate({ search: (old) => ({ ...old, view: name === "lines" ? undefined : name }) })
              }
            >
              {VIEW_NAMES[name]}
            </button>
          ))}
        </fieldset>
        {view === "statistics" ? null : (
          <button
            type="button"
            aria-pressed={table}
            onClick={() =>
              void navigate({ search: (old) => ({ ...old, table: table ? undefined : true }), replace: true })
            }
          >
            Show as table
          </button>
        )}
        <AddParameter
          parameters={descriptions.data ?? []}
          chosen={names}
          refusal={isFull ? `${PARAMETERS_MAX} parameters are shown at most; remove one first.` : null}
          onAdd={(name) => setNames([...names, name])}
        />
        <span className="grow" />
        <Downloads mission={mission} names={known.map((parameter) => parameter.name)} />
      </header>
      {descriptions.isError ? (
        <Failure error={descriptions.error} onRetry={() => void descriptions.refetch()} />
      ) : null}
      {descriptions.isPending ? <Loading what="parameters" /> : null}
      {descriptions.data === undefined ? null : (
        <>
          <Unknown mission={mission} names={names} known={known} onRemove={setNames} />
          <ValueTiles
            mission={mission}
            parameters={known}
            onRemove={(name) => setNames(names.filter((other) => other !== name))}
          />
        </>
      )}
      {known.length === 0 ? (
        names.length > 0 || descriptions.isPending ? null : (
          <p className="empty">
            Nothing is chosen yet. Search for a parameter above, or select several in the list of parameters.
          </p>
        )
      ) : view === "lines" ? (
        <Lines mission={mission} parameters={known} asTable={table} />
      ) : view === "statistics" ? (
        <StatisticsView mission={mission} parameters={known} />
      ) : (
        <Correlate
          mission={mission}
          parameters={known}
          pair={names.length === known.length ? (pair ?? [0, 1]) : [0, 1]}
          asTable={table}
          onPair={(x, y) => void navigate({ search: (old) => ({ ...old, pair: [x, y] }), replace: true })}
        />
      )}
    </div>
  );
}

interface UnknownProps {
  mission: string;
  names: readonly string[];
  known: readonly ParameterDescription[];
  onRemove: (names: string[]) => void;
}

function Unknown({ mission, names, known, onRemove }: UnknownProps) {
  const unknown = names.filter((name) => !known.some((parameter) => parameter.name === name));
  if (unknown.length === 0) return null;
  return (
    <p className="notice caution" role="note">
      <span>
        The dictionary of {mission} has no parameter{" "}
        {unknown.map((name, index) => (
          <span key={name}>
            {index > 0 ? ", " : ""}
            <code>{name}</code>
          </span>
        ))}
        .
      </span>
      <button type="button" onClick={() => onRemove(known.map((parameter) => parameter.name))}>
        Remove
      </button>
    </p>
  );
}
