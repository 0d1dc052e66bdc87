// What of all missions needs somebody, on every page: unacknowledged alarms by severity, and what is silenced.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { explain } from "../../api/client";
import { missionsQuery } from "../../api/queries";
import { count } from "../../format/quantity";
import { clockTime } from "../../format/time";
import { useFrame } from "../../live/hooks";
import { useCurrentMission } from "../../shell/mission";
import { StatusSymbol } from "../../shell/StatusSymbol";
import { countsOf, SEVERITIES, severityOf, statusOf } from "./alarm";
import type { MissionAlarm } from "./filters";
import "./bar.css";
import { alarmSound, useSound } from "./sound";
import { useAnnouncements } from "./useAnnouncements";
import { useOpenAlarms } from "./useOpenAlarms";

export function AlarmBar() {
  const frame = useFrame();
  const missions = useQuery(missionsQuery);
  // Followed as it changes: the mission one is at, then the others while there are few.
  const current = useCurrentMission();
  const others = (missions.data ?? []).map(({ name }) => name).filter((name) => name !== current);
  const { rows, complete, error: failed } = useOpenAlarms(current === null ? others : [current, ...others]);
  const isKnown = complete && missions.data !== undefined;
  const said = useAnnouncements(rows, isKnown);
  const error = missions.error ?? failed;
  const isCurrent = frame.health.state === "live" && isKnown && error === null;
  return (
    <section className="alarm-bar" aria-label="Alarms of all missions">
      <BySeverity rows={rows} isKnown={isKnown} isCurrent={isCurrent} />
      {isKnown || rows.length > 0 ? <Silenced rows={rows} /> : null}
      {isCurrent || !(isKnown || rows.length > 0) ? null : <span className="faint">last known</span>}
      {error === null ? null : <Failed error={error} />}
      <SoundSwitch now={frame.serverNow} />
      <output className="visually-hidden" aria-live="polite">
        <Spoken {...said.polite} />
      </output>
      <span className="visually-hidden" aria-live="assertive">
        <Spoken {...said.assertive} />
      </span>
    </section>
  );
}

interface BySeverityProps {
  rows: readonly MissionAlarm[];
  /** Whether all open alarms are among them: only then none are none. */
  isKnown: boolean;
  isCurrent: boolean;
}

function BySeverity({ rows, isKnown, isCurrent }: BySeverityProps) {
  const ringing = rows.filter(({ alarm }) => alarm.rings);
  if (ringing.length === 0)
    return (
      <Link to="/alarms" search={{}}>
        {isKnown ? (
          <>
            <StatusSymbol status="normal" hollow={!isCurrent} /> 0 unacknowledged
          </>
        ) : (
          <>
            <StatusSymbol status="off" /> alarms not known
          </>
        )}
      </Link>
    );
  return SEVERITIES.toReversed().map((severity) => {
    const many = ringing.filter(({ alarm }) => severityOf(alarm) === severity).length;
    if (many === 0) return null;
    const status = statusOf(severity);
    return (
      <Link
        key={severity}
        to="/alarms"
        search={{ state: "unacknowledged", at_least: severity }}
        title={`${count(many)} unacknowledged, ${severity}`}
      >
        <StatusSymbol status={status} hollow={!isCurrent} />{" "}
        <span className={`state ${status}`}>{count(many)}</span> {severity}
      </Link>
    );
  });
}

/** A live region speaks what changes in the document: the same words again need a new element. */
function Spoken({ text, number }: { text: string; number: number }) {
  return <span key={number}>{text}</span>;
}

function Failed({ error }: { error: unknown }) {
  const { title, detail } = explain(error);
  return (
    <span className="state serious" title={detail}>
      {title}
    </span>
  );
}

/** What somebody silenced is never out of sight. */
function Silenced({ rows }: { rows: readonly MissionAlarm[] }) {
  const { shelved, outOfService } = countsOf(rows.map(({ alarm }) => alarm));
  return (
    <>
      <Link to="/alarms" search={{ state: "shelved" }} className="faint">
        {count(shelved)} shelved
      </Link>
      <Link to="/alarms" search={{ state: "suppressed" }} className="faint">
        {count(outOfService)} out of service
      </Link>
    </>
  );
}

function SoundSwitch({ now }: { now: number }) {
  const sound = useSound();
  const isOn = sound.kind === "on";
  return (
    <button
      type="button"
      className="quiet"
      aria-pressed={isOn}
      title={isOn ? "Mute the tones of new alarms in this tab" : "Sound a tone for new alarms in this tab"}
      onClick={() => (isOn ? alarmSound.mute(now) : alarmSound.turnOn())}
    >
      {isOn ? "Sound on" : sound.kind === "off" ? "Sound off" : `Muted since ${clockTime(sound.since)}`}
    </button>
  );
}
