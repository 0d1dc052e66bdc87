// The alarms of a mission, or of all: what is open as it changes, what was selected of it, and the one that is opened.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import { missionsQuery } from "../../api/queries";
import { count } from "../../format/quantity";
import { useFrame } from "../../live/hooks";
import { useLoggedIn, useRefusal } from "../../session/access";
import { Failure, Loading } from "../../shell/Notice";
import type { TableHandle } from "../../table/VirtualTable";
import { useTimeMode } from "../../time/useTime";
import { Act } from "./Act";
import { AlarmCounts, AlarmFilters, AlarmLinks } from "./AlarmFilters";
import "./alarms.css";
import type { RowContext } from "./AlarmRow";
import { AlarmTable, type Entry } from "./AlarmTable";
import { countsOf } from "./alarm";
import { BulkDialog } from "./BulkDialog";
import { ClosedAlarms } from "./ClosedAlarms";
import { FloodNotice } from "./FloodNotice";
import { type AlarmSearch, type MissionAlarm, nextSort, shown } from "./filters";
import { groupsOf, ratesOf } from "./flood";
import { LiveValue } from "./LiveValue";
import { OpenedAlarm } from "./OpenedAlarm";
import { type Deed, type Seen, see } from "./selection";
import { useAlarmKeys } from "./useAlarmKeys";
import { useOpenAlarms } from "./useOpenAlarms";
import { type SiteOf, useSites } from "./useSites";

interface Props {
  /** `null`: all missions. */
  mission: string | null;
  search: AlarmSearch;
  onSearch: (change: Partial<AlarmSearch>) => void;
}

export function AlarmsPage({ mission, search, onSearch }: Props) {
  const frame = useFrame();
  const { session } = useLoggedIn();
  const mayNot = useRefusal("operate");
  const { mode } = useTimeMode();
  const missions = useQuery(missionsQuery);
  const names = mission === null ? (missions.data ?? []).map(({ name }) => name) : [mission];
  const { rows, complete, leftOut, error } = useOpenAlarms(names);
  const [selected, setSelected] = useState<ReadonlyMap<string, Seen>>(new Map());
  const [cursor, setCursor] = useState<string | null>(null);
  const table = useRef<TableHandle>(null);
  const [deed, setDeed] = useState<{ deed: Deed; of: Seen[] } | null>(null);
  const [openGroups, setOpenGroups] = useState<ReadonlySet<string>>(new Set());

  const me = session.principal;
  const found = useMemo(() => shown(rows, search, me), [rows, search, me]);
  const byId = useMemo(() => new Map(rows.map((row) => [row.alarm.id, row])), [rows]);
  const counts = useMemo(() => countsOf(rows.map(({ alarm }) => alarm)), [rows]);
  const siteOf = useSites();
  // Ages of groups and rates need no more than a second's truth, and there may be thousands of alarms.
  const second = Math.floor(frame.serverNow / 1_000) * 1_000;
  const rates = useMemo(() => ratesOf(rows, second), [rows, second]);
  const { view } = search;
  const entries = useMemo(
    () => entriesOf(found, view, openGroups, siteOf, second),
    [found, view, openGroups, siteOf, second],
  );
  const inOrder = entries.flatMap((entry) => (entry.kind === "alarm" ? [entry.row] : []));
  const isClosed = search.state === "closed";

  const open = (row: MissionAlarm | undefined) =>
    onSearch({ alarm: row?.alarm.id, of: mission === null ? row?.mission : undefined });
  const select = (row: MissionAlarm, isSelected: boolean) =>
    setSelected((old) => {
      const next = new Map(old);
      if (isSelected) next.set(row.alarm.id, see(row));
      else next.delete(row.alarm.id);
      return next;
    });
  const here = cursor === null ? undefined : byId.get(cursor);
  const begin = (what: Deed) => {
    const of = selected.size > 0 ? [...selected.values()] : here === undefined ? [] : [see(here)];
    if (of.length > 0 && mayNot === null) setDeed({ deed: what, of });
  };
  useAlarmKeys({
    onMove: (by) => {
      const at = entries.findIndex((entry) => entry.kind === "alarm" && entry.row.alarm.id === cursor);
      if (entries.length > 0)
        table.current?.focusRow(at < 0 ? 0 : Math.min(entries.length - 1, Math.max(0, at + by)));
    },
    onSelect: () => here !== undefined && select(here, !selected.has(here.alarm.id)),
    onAcknowledge: () => begin("acknowledge"),
    onShelve: () => begin("shelve"),
    onOpen: () => here !== undefined && open(here),
    onClose: () => (search.alarm === undefined ? setSelected(new Map()) : open(undefined)),
  });

  const context: RowContext = {
    serverNow: frame.serverNow,
    selected: useMemo(() => new Set(selected.keys()), [selected]),
    cursor,
    opened: search.alarm ?? null,
    showsMission: mission === null,
    siteOf,
    liveValue: ({ mission: of, alarm }) =>
      alarm.node ? null : <LiveValue mission={of} parameter={alarm.parameter} />,
    onCursor: setCursor,
    onSelect: select,
    onOpen: open,
  };
  const onSort = (key: Parameters<typeof nextSort>[1]) => onSearch({ sort: nextSort(search.sort, key) });
  const openedIn = mission ?? search.of ?? byId.get(search.alarm ?? "")?.mission;
  return (
    <>
      <header className="page-head">
        <h1>Alarms</h1>
        <AlarmLinks mission={mission} />
        <AlarmCounts
          counts={counts}
          isCurrent={complete && error === null && frame.health.state === "live"}
        />
        <AlarmFilters search={search} onSearch={onSearch} />
      </header>
      {mode.kind === "live" ? null : (
        <p className="notice caution">Alarms are shown as they stand now, not as of the time selected.</p>
      )}
      <FloodNotice
        rates={rates}
        isGrouped={search.view === "causes"}
        onGroup={() => onSearch({ view: "causes" })}
      />
      {error === null ? null : <Failure error={error} />}
      {leftOut === 0 ? null : (
        <p className="notice serious">
          {count(leftOut)} further open alarms are not listed: there were too many for the server's memory.
        </p>
      )}
      {isClosed ? (
        <ClosedAlarms missions={names} search={search} me={me} context={context} onSort={onSort} />
      ) : !complete && error === null ? (
        <Loading what="alarms" />
      ) : found.length === 0 ? (
        <p className="empty">{rows.length === 0 ? "No alarm is open." : "No open alarm matches."}</p>
      ) : (
        <AlarmTable
          label={`Open alarms of ${mission ?? "all missions"}`}
          handle={table}
          entries={entries}
          context={context}
          sort={search.sort}
          onSort={onSort}
          onGroup={(key) => setOpenGroups((old) => toggled(old, key))}
          onSelectAll={(all) =>
            setSelected(new Map(all ? inOrder.map((row) => [row.alarm.id, see(row)]) : []))
          }
        />
      )}
      {selected.size === 0 ? null : (
        <section className="acts" aria-label="Selected alarms">
          <strong>{count(selected.size)} selected</strong>
          <Act text="Acknowledge selected" refusal={mayNot} onAct={() => begin("acknowledge")} />
          <Act text="Shelve selected" refusal={mayNot} onAct={() => begin("shelve")} />
          <Act text="Assign selected" refusal={mayNot} onAct={() => begin("assign")} />
          <button type="button" className="quiet" onClick={() => setSelected(new Map())}>
            Select none
          </button>
        </section>
      )}
      {search.alarm === undefined || openedIn === undefined ? null : (
        <OpenedAlarm
          key={search.alarm}
          mission={openedIn}
          alarm={search.alarm}
          onClose={() => open(undefined)}
        />
      )}
      {deed === null ? null : (
        <BulkDialog
          deed={deed.deed}
          selected={deed.of}
          now={(id) => byId.get(id)?.alarm}
          serverNow={frame.serverNow}
          me={me}
          onClose={(isDone) => {
            setDeed(null);
            if (isDone) setSelected(new Map());
          }}
        />
      )}
    </>
  );
}

function entriesOf(
  found: readonly MissionAlarm[],
  view: AlarmSearch["view"],
  openGroups: ReadonlySet<string>,
  siteOf: SiteOf,
  now: number,
): Entry[] {
  if (view !== "causes") return found.map((row) => ({ kind: "alarm", row }));
  return groupsOf(found, siteOf, now).flatMap((group): Entry[] => {
    const isOpen = openGroups.has(group.key);
    const members = isOpen ? group.members.map((row): Entry => ({ kind: "alarm", row })) : [];
    return [{ kind: "group", group, isOpen }, ...members];
  });
}

function toggled(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
}
