// Where a replay stands: it moves with the browser's steady clock, at its speed, and stops at its end.
import type { ReplayMode } from "./mode";

/** A replay begins anew when another range is chosen, and goes on from where it is when only its speed changes. */
export class ReplayClock {
  private range: { from: number; to: number } | null = null;
  private anchor = { position: 0, now: 0 };
  private speed = 1;

  /** The moment shown at `now`, both in Unix milliseconds. */
  position(mode: ReplayMode, now: number): number {
    if (mode.at !== null) {
      this.settle(mode, mode.at, now);
      return mode.at;
    }
    if (this.range?.from !== mode.from || this.range.to !== mode.to) this.settle(mode, mode.from, now);
    else if (this.speed !== mode.speed) this.settle(mode, this.at(now), now);
    return this.at(now);
  }

  private at(now: number): number {
    const position = this.anchor.position + (now - this.anchor.now) * this.speed;
    return Math.min(this.range?.to ?? position, position);
  }

  private settle(mode: ReplayMode, position: number, now: number): void {
    this.range = { from: mode.from, to: mode.to };
    this.anchor = { position, now };
    this.speed = mode.speed;
  }
}
