// Says new alarms to who cannot see them, and sounds their tones.
import { useEffect, useState } from "react";
import { useFrame } from "../../live/hooks";
import { Announcer } from "./announce";
import type { MissionAlarm } from "./filters";
import { alarmSound } from "./sound";

export interface Spoken {
  text: string;
  /** Grows with each announcement: two of the same words are two. */
  number: number;
}

export interface Said {
  assertive: Spoken;
  polite: Spoken;
}

const SILENCE: Spoken = { text: "", number: 0 };

export function useAnnouncements(rows: readonly MissionAlarm[], complete: boolean): Said {
  const { now } = useFrame();
  const [announcer] = useState(() => new Announcer());
  const [said, setSaid] = useState<Said>({ assertive: SILENCE, polite: SILENCE });
  useEffect(() => {
    const { assertive, polite, tone } = announcer.next(rows, complete, now);
    if (tone !== null) alarmSound.play(tone);
    if (assertive !== null || polite !== null)
      setSaid((before) => ({
        assertive: after(before.assertive, assertive),
        polite: after(before.polite, polite),
      }));
  }, [announcer, rows, complete, now]);
  return said;
}

function after(before: Spoken, text: string | null): Spoken {
  return text === null ? before : { text, number: before.number + 1 };
}
