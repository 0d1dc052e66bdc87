// The second clock beside UTC. Which one is this browser's own affair.
import { create } from "zustand";
import { dayOfYear } from "../format/time";

export const CLOCKS = ["none", "day", "local", "gps"] as const;
export type SecondClock = (typeof CLOCKS)[number];

export const CLOCK_NAMES: Record<SecondClock, string> = {
  none: "UTC only",
  day: "UTC, day of year",
  local: "Local time",
  gps: "GPS week and second",
};

const KEY = "sto-second-clock";
const GPS_EPOCH = Date.UTC(1980, 0, 6);
/** GPS time runs ahead of UTC by the leap seconds since 1980; the last one was at the end of 2016. */
const GPS_AHEAD_MS = 18_000;
const WEEK_MS = 7 * 24 * 3_600_000;

export const useSecondClock = create<{ clock: SecondClock; choose: (clock: SecondClock) => void }>((set) => ({
  clock: remembered(),
  choose: (clock) => {
    try {
      localStorage.setItem(KEY, clock);
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
    }
    set({ clock });
  },
}));

/** The second line of the clock; `null` when only UTC is wanted. */
export function secondTime(clock: SecondClock, ms: number): string | null {
  const at = new Date(ms);
  switch (clock) {
    case "none":
      return null;
    case "day":
      return `${at.getUTCFullYear()}-${dayOfYear(ms)}T${at.toISOString().slice(11, 19)}Z`;
    case "local":
      return `${at.toLocaleTimeString("en-GB")} ${zone(at)}`;
    case "gps": {
      const since = ms - GPS_EPOCH + GPS_AHEAD_MS;
      return `GPS ${Math.floor(since / WEEK_MS)} ${String(Math.floor((since % WEEK_MS) / 1000)).padStart(6, "0")}`;
    }
  }
}

function zone(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  const pad = (part: number) => String(Math.floor(part)).padStart(2, "0");
  return `UTC${minutes < 0 ? "-" : "+"}${pad(Math.abs(minutes) / 60)}:${pad(Math.abs(minutes) % 60)}`;
}

function remembered(): SecondClock {
  try {
    const text = localStorage.getItem(KEY);
    return CLOCKS.find((clock) => clock === text) ?? "none";
  } catch {
    return "none";
  }
}
