// Fetches a mission's parameters and follows the values of those in sight.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { latestQuery, missionsQuery, parametersQuery } from "../../api/queries";
import { count } from "../../format/quantity";
import { useFrame, useLive, useSubscription } from "../../live/hooks";
import { Failure, Loading } from "../../shell/Notice";
import { MissionDictionary } from "./MissionDictionary";
import { MissionPicker } from "./MissionPicker";
import { ParameterTable } from "./ParameterTable";
import { matching } from "./search";

interface Props {
  mission: string;
  search: string;
  onSearch: (search: string) => void;
  onMission: (mission: string) => void;
}

export function ParametersPage({ mission, search, onSearch, onMission }: Props) {
  const live = useLive();
  const frame = useFrame();
  const missions = useQuery(missionsQuery);
  const parameters = useQuery(parametersQuery(mission));
  const latest = useQuery(latestQuery(mission));
  const field = useSlashFocus();
  const [range, setRange] = useState({ first: 0, end: 50 });

  const found = useMemo(() => matching(parameters.data ?? [], search), [parameters.data, search]);
  const inSight = useMemo(() => found.slice(range.first, range.end).map((p) => p.name), [found, range]);
  const [onRange] = useState(() => (first: number, end: number) => setRange({ first, end }));
  useSubscription(mission, inSight);
  useEffect(() => {
    if (latest.data !== undefined) live.feed.onLatest(mission, latest.data.values);
  }, [live, mission, latest.data]);

  const described = missions.data?.find((m) => m.name === mission);
  return (
    <>
      <header className="page-head">
        <h1>Parameters</h1>
        <MissionPicker missions={missions.data ?? []} mission={mission} onMission={onMission} />
        <label className="field grow">
          <span className="visually-hidden">Search parameters</span>
          <input
            ref={field}
            type="search"
            value={search}
            placeholder="Search by path, description or unit"
            onChange={(event) => onSearch(event.target.value)}
          />
          <span className="key" aria-hidden="true">
            /
          </span>
        </label>
        <output className="faint">
          {parameters.data === undefined ? "" : `${count(found.length)} of ${count(parameters.data.length)}`}
        </output>
      </header>
      {described === undefined ? null : <MissionDictionary mission={described} serverNow={frame.serverNow} />}
      {live.feed.refusal === null || parameters.isError ? null : (
        <p className="notice serious" role="alert">
          <strong>Live values were refused.</strong> {live.feed.refusal.detail}{" "}
          <code>{live.feed.refusal.code}</code>
        </p>
      )}
      {parameters.isPending ? <Loading what="parameters" /> : null}
      {parameters.isError && parameters.data === undefined ? (
        <Failure error={parameters.error} onRetry={() => void parameters.refetch()} />
      ) : null}
      {parameters.data === undefined ? null : found.length === 0 ? (
        <p className="empty">
          {parameters.data.length === 0
            ? "This mission's dictionary has no parameters."
            : `No parameter matches “${search}”.`}
        </p>
      ) : (
        <ParameterTable
          mission={mission}
          parameters={found}
          latestOf={(parameter) => live.feed.latestOf(mission, parameter)}
          frame={frame}
          onRange={onRange}
        />
      )}
    </>
  );
}

/** `/` puts the cursor into the search field from anywhere on the page. */
function useSlashFocus() {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing =
        event.target instanceof Element && event.target.closest("input, select, textarea") !== null;
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      field.current?.focus();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  return field;
}
