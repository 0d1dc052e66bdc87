// Decides when to open, close and reopen the live connection and what may be said about it.
// Holds no socket and no clock: the caller passes `now` (milliseconds) and carries out what comes back.
import type { LiveRequest, LiveSubject } from "../types";

/** The server sends a heartbeat every second; after this long without one nothing is called live. */
export const LIVE_MS = 3_000;
/** A socket this silent is dead even if nobody said so (a lost link sends no FIN). */
export const SILENT_MS = 6_000;
export const CONNECT_TIMEOUT_MS = 10_000;
/** Past this the word is "offline"; trying goes on. */
export const OFFLINE_MS = 60_000;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_LONGEST_MS = 15_000;

export type Phase =
  | { kind: "connecting"; since: number }
  | { kind: "open"; since: number; heard: boolean }
  | { kind: "stopped" }
  | { kind: "waiting"; until: number };

export type Action = { kind: "close" } | { kind: "open" } | { kind: "send"; request: LiveRequest };

export interface Heartbeat {
  receivedAt: number;
  serverAt: number;
}

/** What the connection chip says. `frozenAt` is the server's time of the last heartbeat. */
export type Health =
  | { state: "live"; age: number }
  | { state: "offline"; downFor: number | null; frozenAt: number | null }
  | { state: "reconnecting"; downFor: number; frozenAt: number | null };

export class Connection {
  phase: Phase = { kind: "stopped" };
  lastHeartbeat: Heartbeat | null = null;
  /** How often a connection came alive: it grows when values may have been missed. */
  established = 0;
  private failures = 0;
  private startedAt = 0;
  private readonly wanted = new Map<string, LiveSubject>();
  /** Subscriptions that the server does not know of, or does not know to be over. */
  private readonly unsent = new Set<string>();
  private readonly cursors = new Map<string, string>();
  private closePending = false;

  constructor(private readonly random: () => number) {}

  onStart(now: number): void {
    if (this.phase.kind !== "stopped") return;
    this.startedAt = now;
    this.failures = 0;
    this.lastHeartbeat = null;
    this.phase = { kind: "waiting", until: now };
  }

  onStop(): void {
    this.closePending = this.phase.kind === "connecting" || this.phase.kind === "open";
    this.phase = { kind: "stopped" };
  }

  onOpened(now: number): void {
    if (this.phase.kind !== "connecting") return;
    this.phase = { kind: "open", since: now, heard: false };
    this.unsent.clear();
    for (const id of this.wanted.keys()) this.unsent.add(id);
  }

  onClosed(now: number): void {
    if (this.phase.kind === "stopped") return;
    this.phase = { kind: "waiting", until: now + this.backoff() };
    this.failures += 1;
  }

  onHeartbeat(now: number, serverAt: number): void {
    if (this.phase.kind !== "open") return;
    if (!this.phase.heard) {
      this.phase = { ...this.phase, heard: true };
      this.established += 1;
      this.failures = 0;
    }
    this.lastHeartbeat = { receivedAt: now, serverAt };
  }

  /** Opens a subscription, or changes what the one of this name is about. */
  onWanted(id: string, of: LiveSubject): void {
    this.wanted.set(id, of);
    this.unsent.add(id);
  }

  onUnwanted(id: string): void {
    this.wanted.delete(id);
    this.cursors.delete(id);
    this.unsent.add(id);
  }

  /** Where a subscription would go on if the socket broke now. */
  onCursor(id: string, cursor: string): void {
    if (this.wanted.has(id)) this.cursors.set(id, cursor);
  }

  /** Something hints that trying now is worth it: the network came back, or a person asked. */
  onHint(now: number): void {
    if (this.phase.kind === "waiting") this.phase = { kind: "waiting", until: now };
  }

  nextAction(now: number): Action | null {
    if (this.closePending) {
      this.closePending = false;
      return { kind: "close" };
    }
    const due = this.deadline();
    if (due !== null && now >= due) {
      if (this.phase.kind === "waiting") {
        this.phase = { kind: "connecting", since: now };
        return { kind: "open" };
      }
      this.onClosed(now);
      return { kind: "close" };
    }
    const [id] = this.unsent;
    if (this.phase.kind !== "open" || id === undefined) return null;
    this.unsent.delete(id);
    return { kind: "send", request: this.requestOf(id) };
  }

  private requestOf(id: string): LiveRequest {
    const of = this.wanted.get(id);
    if (of === undefined) return { kind: "close", id };
    const resume = this.cursors.get(id);
    return { kind: "open", id, of, ...(resume === undefined ? {} : { resume }) };
  }

  nextWakeup(): number | null {
    return this.deadline();
  }

  health(now: number): Health {
    const frozenAt = this.lastHeartbeat?.serverAt ?? null;
    if (this.phase.kind === "stopped") return { state: "offline", downFor: null, frozenAt };
    const heardAt = this.lastHeartbeat?.receivedAt ?? this.startedAt;
    const silence = now - heardAt;
    if (this.phase.kind === "open" && this.phase.heard && silence <= LIVE_MS)
      return { state: "live", age: silence };
    return { state: silence >= OFFLINE_MS ? "offline" : "reconnecting", downFor: silence, frozenAt };
  }

  /** The server's time now, or `null` before the first heartbeat. */
  serverNow(now: number): number | null {
    if (this.lastHeartbeat === null) return null;
    return this.lastHeartbeat.serverAt + (now - this.lastHeartbeat.receivedAt);
  }

  private deadline(): number | null {
    switch (this.phase.kind) {
      case "connecting":
        return this.phase.since + CONNECT_TIMEOUT_MS;
      case "open":
        return Math.max(this.phase.since, this.lastHeartbeat?.receivedAt ?? 0) + SILENT_MS;
      case "stopped":
        return null;
      case "waiting":
        return this.phase.until;
    }
  }

  // Half of the delay is random: a thousand browsers must not come back in the same instant.
  private backoff(): number {
    const longest = Math.min(BACKOFF_LONGEST_MS, BACKOFF_FIRST_MS * 2 ** this.failures);
    return longest / 2 + (this.random() * longest) / 2;
  }
}
