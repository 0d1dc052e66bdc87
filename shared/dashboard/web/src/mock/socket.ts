// The server's side of `/api/v1/live`, played by the mock world.
import type { Socket } from "../live/client";
import type { LiveEvent, LiveRequest } from "../types";
import { iso, type MockWorld } from "./world";

export class MockSocket implements Socket {
  static readonly open = new Set<MockSocket>();
  onopen: ((event: Event) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  readonly received: LiveRequest[] = [];
  private timers: ReturnType<typeof setInterval>[] = [];
  private sentUntil = 0;
  private closed = false;

  constructor(private readonly world: MockWorld) {
    setTimeout(() => this.begin(), 0);
  }

  send(text: string): void {
    const request: LiveRequest = JSON.parse(text);
    this.received.push(request);
    this.sentUntil = this.world.now();
    const samples = this.subscribed().flatMap((p) => this.world.latest(p) ?? []);
    this.say({ kind: "snapshot", mission: request.mission, samples, dropped: 0 });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const timer of this.timers) clearInterval(timer);
    MockSocket.open.delete(this);
    this.onclose?.({ code: 1006 } as CloseEvent);
  }

  /** Stops talking without closing, as a link that is cut does. */
  fallSilent(): void {
    for (const timer of this.timers) clearInterval(timer);
    this.timers = [];
  }

  say(event: LiveEvent): void {
    if (!this.closed) this.onmessage?.({ data: JSON.stringify(event) } as MessageEvent);
  }

  private begin(): void {
    if (this.closed) return;
    if (!this.world.reachable || !this.world.loggedIn) {
      this.close();
      return;
    }
    MockSocket.open.add(this);
    this.onopen?.({} as Event);
    this.heartbeat();
    this.timers = [setInterval(() => this.heartbeat(), 1000), setInterval(() => this.values(), 200)];
  }

  private heartbeat(): void {
    if (!this.world.reachable) {
      this.close();
      return;
    }
    this.say({ kind: "heartbeat", at: iso(this.world.now()), nodes: this.world.currentNodes() });
  }

  private values(): void {
    const mission = this.received.at(-1)?.mission;
    if (mission === undefined) return;
    const now = this.world.now();
    const samples = this.subscribed().flatMap((p) =>
      this.world.times(p, this.sentUntil + 1, now).map((t) => this.world.sample(p, t)),
    );
    this.sentUntil = now;
    if (samples.length > 0) this.say({ kind: "values", mission, samples });
  }

  private subscribed() {
    const request = this.received.at(-1);
    return request?.parameters.flatMap((path) => this.world.find(request.mission, path) ?? []) ?? [];
  }
}
