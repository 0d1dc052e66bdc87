// Fetches a mission's open alarms and the history of the one that is chosen, and sends what people do about it.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ProblemError } from "../../api/client";
import { actOnAlarm, alarmQuery, alarmsQuery, missionsQuery } from "../../api/queries";
import { count } from "../../format/quantity";
import { useFrame } from "../../live/hooks";
import { Failure, Loading } from "../../shell/Notice";
import type { AlarmAct } from "../../types";
import { MissionPicker } from "../parameters/MissionPicker";
import { AlarmDetail } from "./AlarmDetail";
import { AlarmTable } from "./AlarmTable";
import { byUrgency, newActId } from "./alarm";

/** Rows that are drawn; further ones are less urgent than all of these. */
const ROWS_MAX = 200;

interface Props {
  mission: string;
  selected: string | null;
  mayAct: boolean;
  onSelect: (alarm: string | null) => void;
  onMission: (mission: string) => void;
}

export function AlarmsPage({ mission, selected, mayAct, onSelect, onMission }: Props) {
  const frame = useFrame();
  const missions = useQuery(missionsQuery);
  const alarms = useQuery(alarmsQuery(mission));
  const rows = (alarms.data?.alarms ?? []).toSorted(byUrgency);
  const ringing = rows.filter((alarm) => alarm.rings).length;
  return (
    <>
      <header className="page-head">
        <h1>Alarms</h1>
        <MissionPicker missions={missions.data ?? []} mission={mission} onMission={onMission} />
        <output className="faint">
          {alarms.data === undefined
            ? ""
            : `${count(alarms.data.open)} open, ${count(ringing)} unacknowledged${
                alarms.isError || frame.health.state !== "live" ? ", last known" : ""
              }`}
        </output>
      </header>
      {alarms.isPending ? <Loading what="alarms" /> : null}
      {alarms.isError ? <Failure error={alarms.error} onRetry={() => void alarms.refetch()} /> : null}
      {alarms.data === undefined ? null : rows.length === 0 ? (
        <p className="empty">No alarm is open.</p>
      ) : (
        <AlarmTable
          mission={mission}
          alarms={rows.slice(0, ROWS_MAX)}
          selected={selected}
          serverNow={frame.serverNow}
          onSelect={onSelect}
        />
      )}
      {(alarms.data?.open ?? 0) > Math.min(rows.length, ROWS_MAX) ? (
        <p className="faint">
          {count(Math.min(rows.length, ROWS_MAX))} of {count(alarms.data?.open ?? 0)} are shown.
        </p>
      ) : null}
      {selected === null ? null : (
        <Chosen
          key={selected}
          mission={mission}
          alarm={selected}
          mayAct={mayAct}
          onClose={() => onSelect(null)}
        />
      )}
    </>
  );
}

interface ChosenProps {
  mission: string;
  alarm: string;
  mayAct: boolean;
  onClose: () => void;
}

function Chosen({ mission, alarm, mayAct, onClose }: ChosenProps) {
  const frame = useFrame();
  const client = useQueryClient();
  const query = alarmQuery(mission, alarm);
  const found = useQuery(query);
  const acting = useMutation({
    mutationFn: ({ act, note, id }: { act: AlarmAct; note: string; id: string }) =>
      actOnAlarm(mission, alarm, { act, id, ...(note.trim() === "" ? {} : { note }) }),
    // A lost answer is asked for again with the same id, which is the same act.
    retry: (failures, failed) => !(failed instanceof ProblemError) && failures < 2,
    onSuccess: (history) => {
      client.setQueryData(query.queryKey, history);
      void client.invalidateQueries({ queryKey: alarmsQuery(mission).queryKey });
    },
  });
  if (found.data === undefined)
    return found.isError ? <Failure error={found.error} /> : <Loading what="the alarm" />;
  return (
    <AlarmDetail
      history={found.data}
      serverNow={frame.serverNow}
      mayAct={mayAct}
      busy={acting.isPending}
      error={acting.error}
      onAct={(act, note) => acting.mutate({ act, note, id: newActId() })}
      onClose={onClose}
    />
  );
}
