// The open alarms of several missions as one list, which is the same list while nothing about them changed.
import type { LiveAlarms } from "../../live/feed";
import type { Alarm } from "../../types";
import type { MissionAlarm } from "./filters";

interface Part {
  version: string;
  rows: MissionAlarm[];
}

export interface Source {
  mission: string;
  /** Grows with each change. */
  version: number;
  alarms: () => Iterable<Alarm>;
}

export function liveSource(mission: string, known: LiveAlarms | null): Source {
  return { mission, version: known?.version ?? -1, alarms: () => known?.alarms.values() ?? [] };
}

export class AlarmRows {
  private readonly parts = new Map<string, Part>();
  private versions = "";
  private all: MissionAlarm[] = [];

  of(sources: readonly Source[]): MissionAlarm[] {
    const versions = sources.map(({ mission, version }) => `${mission}\n${version}`).join("\n");
    if (versions === this.versions) return this.all;
    this.versions = versions;
    this.all = sources.flatMap((source) => this.part(source));
    return this.all;
  }

  private part({ mission, version, alarms }: Source): MissionAlarm[] {
    const known = this.parts.get(mission);
    if (known?.version === String(version)) return known.rows;
    const rows = Array.from(alarms(), (alarm) => ({ mission, alarm }));
    this.parts.set(mission, { version: String(version), rows });
    return rows;
  }
}
