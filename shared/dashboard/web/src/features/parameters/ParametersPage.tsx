// Fetches a mission's parameters and their values at the time shown, of those in sight.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { latestQuery, missionsQuery, parametersQuery } from "../../api/queries";
import { count } from "../../format/quantity";
import { dateAndTime } from "../../format/time";
import { useFrame, useLive } from "../../live/hooks";
import { Failure, Loading } from "../../shell/Notice";
import { SearchField } from "../../shell/SearchField";
import { useValues } from "../../telemetry/values";
import { useTime } from "../../time/useTime";
import { PARAMETERS_MAX } from "../explore/routes";
import { MissionDictionary } from "./MissionDictionary";
import { ParameterTable } from "./ParameterTable";
import { matching } from "./search";
import "./parameters.css";

interface Props {
  mission: string;
  search: string;
  /** Full paths that are selected for Explore. */
  picked: readonly string[];
  onSearch: (search: string) => void;
  onPicked: (picked: string[]) => void;
}

export function ParametersPage({ mission, search, picked, onSearch, onPicked }: Props) {
  const live = useLive();
  const frame = useFrame();
  const { mode, now } = useTime();
  const missions = useQuery(missionsQuery);
  const parameters = useQuery(parametersQuery(mission));
  const latest = useQuery({ ...latestQuery(mission), enabled: mode.kind === "live" });
  const [range, setRange] = useState({ first: 0, end: 50 });

  const found = useMemo(() => matching(parameters.data ?? [], search), [parameters.data, search]);
  const inSight = useMemo(() => found.slice(range.first, range.end).map((p) => p.name), [found, range]);
  const [onRange] = useState(() => (first: number, end: number) => setRange({ first, end }));
  const values = useValues(mission, inSight);
  useEffect(() => {
    if (latest.data !== undefined) live.feed.onLatest(mission, latest.data.values);
  }, [live, mission, latest.data]);

  const described = missions.data?.find((m) => m.name === mission);
  const chosen = useMemo(() => new Set(picked), [picked]);
  const onPick = (name: string) =>
    onPicked(chosen.has(name) ? picked.filter((other) => other !== name) : [...picked, name]);
  return (
    <>
      <header className="page-head">
        <h1>Parameters</h1>
        <SearchField
          label="Search parameters"
          value={search}
          placeholder="Search by path, description or unit"
          onSearch={onSearch}
        />
        <Picked mission={mission} picked={picked} onClear={() => onPicked([])} />
        <output className="faint">
          {parameters.data === undefined ? "" : `${count(found.length)} of ${count(parameters.data.length)}`}
        </output>
      </header>
      {described === undefined ? null : <MissionDictionary mission={described} serverNow={frame.serverNow} />}
      {mode.kind === "live" ? null : (
        <p className="faint">
          Values as they were at {dateAndTime(now)}, and their age then. The newest of a day before counts.
        </p>
      )}
      {parameters.isPending ? <Loading what="parameters" /> : null}
      {parameters.isError && parameters.data === undefined ? (
        <Failure error={parameters.error} onRetry={() => void parameters.refetch()} />
      ) : null}
      {parameters.data === undefined || mode.kind !== "live" || !latest.isError ? null : (
        <Failure error={latest.error} onRetry={() => void latest.refetch()} />
      )}
      {values.error === null ? null : <Failure error={values.error} onRetry={values.retry} />}
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
          lookUp={values.of}
          lackOf={values.lackOf}
          picked={chosen}
          onPick={onPick}
          onRange={onRange}
        />
      )}
    </>
  );
}

interface PickedProps {
  mission: string;
  picked: readonly string[];
  onClear: () => void;
}

function Picked({ mission, picked, onClear }: PickedProps) {
  if (picked.length === 0) return null;
  const p = picked.slice(0, PARAMETERS_MAX);
  return (
    <>
      <Link to="/m/$mission/explore" params={{ mission }} search={{ p }} className="picked-link">
        {p.length < picked.length
          ? `Explore the first ${p.length} of ${picked.length} selected`
          : `Explore ${picked.length} selected`}
      </Link>
      <button type="button" className="quiet" onClick={onClear}>
        Clear selection
      </button>
    </>
  );
}
