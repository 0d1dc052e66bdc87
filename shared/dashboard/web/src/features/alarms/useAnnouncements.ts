// Says new alarms to who cannot see them, and sounds their tones.
import { useEffect, useState } from "react";
import { useFrame } from "../../live/hooks";
import { Announcer } from "./announce";
import type { MissionAlarm } from "./filters";
import { alarmSound } from "./sound";

export interface Said {
  assertive: string;
  polite: string;
}

export function useAnnouncements(rows: readonly MissionAlarm[], complete: boolean): Said {
  const { now } = useFrame();
  const [announcer] = useState(() => new Announcer());
  const [said, setSaid] = useState<Said>({ assertive: "", polite: "" });
  useEffect(() => {
    const { assertive, polite, tone } = announcer.next(rows, complete, now);
    if (tone !== null) alarmSound.play(tone);
    if (assertive !== null || polite !== null)
      setSaid((before) => ({ assertive: assertive ?? before.assertive, polite: polite ?? before.polite }));
  }, [announcer, rows, complete, now]);
  return said;
}
