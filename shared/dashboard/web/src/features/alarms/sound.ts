// Three tones for new alarms, of this tab only: off until somebody switches them on, and silent until they hear again.
import { useSyncExternalStore } from "react";
import type { Tone } from "./announce";

export type Sound =
  | { kind: "off" }
  | { kind: "on" }
  /** Unix milliseconds. */
  | { kind: "muted"; since: number };

const HERTZ: Record<Tone, readonly number[]> = { low: [440], middle: [587, 587], high: [880, 659, 880] };
const TONE_S = 0.16;
const PAUSE_S = 0.06;

export class AlarmSound {
  private sound: Sound = { kind: "off" };
  private context: AudioContext | null = null;
  private readonly listeners = new Set<() => void>();

  readonly state = (): Sound => this.sound;

  readonly onChange = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** From a click: browsers let a page sound only then. */
  turnOn(): void {
    this.context ??= typeof AudioContext === "undefined" ? null : new AudioContext();
    void this.context?.resume();
    this.change({ kind: "on" });
    this.play("low");
  }

  mute(now: number): void {
    this.change({ kind: "muted", since: now });
  }

  play(tone: Tone): void {
    if (this.sound.kind !== "on" || this.context === null) return;
    let at = this.context.currentTime;
    for (const hertz of HERTZ[tone]) {
      beep(this.context, hertz, at);
      at += TONE_S + PAUSE_S;
    }
  }

  private change(next: Sound): void {
    this.sound = next;
    for (const listener of this.listeners) listener();
  }
}

/** Rises and falls, because a tone that is cut crackles. */
function beep(context: AudioContext, hertz: number, at: number): void {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = hertz;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(0.2, at + 0.02);
  gain.gain.linearRampToValueAtTime(0, at + TONE_S);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + TONE_S);
}

/** One for the tab, however many bars there are. */
export const alarmSound = new AlarmSound();

export function useSound(): Sound {
  return useSyncExternalStore(alarmSound.onChange, alarmSound.state);
}
