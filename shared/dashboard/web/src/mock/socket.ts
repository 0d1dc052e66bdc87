// The server's side of `/api/v1/live`, played by the mock world.
import type { Socket } from "../live/client";
import type { LiveEvent, LiveRequest, LiveSubject, Sample } from "../types";
import { alarmsOf } from "./alarms";
import { iso, type MockWorld } from "./world";

interface Open {
  of: LiveSubject;
  sentUntil: number;
  /** What was last said, where only changes are. */
  said: string;
}

export class MockSocket implements Socket {
  static readonly open = new Set<MockSocket>();
  onopen: ((event: Event) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  readonly received: LiveRequest[] = [];
  private readonly subscriptions = new Map<string, Open>();
  private timers: ReturnType<typeof setInterval>[] = [];
  private closed = false;

  constructor(private readonly world: MockWorld) {
    setTimeout(() => this.begin(), 0);
  }

  send(text: string): void {
    const request: LiveRequest = JSON.parse(text);
    this.received.push(request);
    if (request.kind === "close") this.subscriptions.delete(request.id);
    else if (request.kind === "open" && this.isFull(request.id))
      this.say({
        kind: "refused",
        id: request.id,
        code: "STO-API-BAD-REQUEST",
        detail: "a connection has no more subscriptions; close one",
      });
    else if (request.kind === "open") {
      const { id } = request;
      const open = { of: request.of, sentUntil: this.world.now(), said: "" };
      this.subscriptions.set(id, open);
      this.say({ kind: "opened", id, resumed: false });
      const { snapshotAfterMs } = this.world;
      if (snapshotAfterMs === 0) this.snapshot(id, open);
      else setTimeout(() => this.subscriptions.get(id) === open && this.snapshot(id, open), snapshotAfterMs);
    }
  }

  private isFull(id: string): boolean {
    const { subscriptionsMax = 16 } = this.world.options;
    return !this.subscriptions.has(id) && this.subscriptions.size >= subscriptionsMax;
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

  /** Paths of all parameters that are subscribed to now, as the pages want them. */
  wanted(purpose: "traces" | "values"): string[] {
    return [...this.subscriptions].flatMap(([id, { of }]) =>
      id.startsWith(purpose) && of.kind === "parameters" ? of.parameters : [],
    );
  }

  /** Names of the subscriptions to a kind of subject. */
  ids(kind: LiveSubject["kind"]): string[] {
    return [...this.subscriptions].flatMap(([id, { of }]) => (of.kind === kind ? [id] : []));
  }

  /** Brings samples to whoever draws curves of a mission. */
  bring(mission: string, samples: Sample[]): void {
    for (const [id, { of }] of this.subscriptions)
      if (id.startsWith("traces") && of.kind === "parameters" && of.mission === mission)
        this.say({ kind: "values", id, mission, samples });
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
    this.timers = [setInterval(() => this.heartbeat(), 1000), setInterval(() => this.changes(), 200)];
  }

  private heartbeat(): void {
    if (!this.world.reachable) {
      this.close();
      return;
    }
    this.say({ kind: "heartbeat", at: iso(this.world.now()), nodes: this.world.currentNodes() });
  }

  private snapshot(id: string, open: Open): void {
    const { of } = open;
    if (of.kind === "parameters") {
      const samples = this.parametersOf(of).flatMap((p) => this.world.latest(p) ?? []);
      this.say({ kind: "snapshot", id, mission: of.mission, samples, dropped: 0 });
    }
    if (of.kind === "alarms") {
      const alarms = alarmsOf(this.world, of.mission);
      open.said = JSON.stringify(alarms);
      this.say({
        kind: "alarms-snapshot",
        id,
        mission: of.mission,
        alarms,
        is_first: true,
        more: false,
        dropped: 0,
      });
    }
    if (of.kind === "events") this.events(id, of.mission ?? null, 0);
  }

  private changes(): void {
    const now = this.world.now();
    for (const [id, open] of this.subscriptions) {
      const { of, sentUntil } = open;
      if (of.kind === "parameters") {
        const samples = this.parametersOf(of).flatMap((p) =>
          this.world.times(p, sentUntil + 1, now).map((t) => this.world.sample(p, t)),
        );
        if (samples.length > 0) this.say({ kind: "values", id, mission: of.mission, samples });
      }
      if (of.kind === "alarms") {
        const alarms = alarmsOf(this.world, of.mission);
        const said = JSON.stringify(alarms);
        if (said !== open.said) this.say({ kind: "alarms", id, mission: of.mission, alarms });
        open.said = said;
      }
      if (of.kind === "events") this.events(id, of.mission ?? null, sentUntil);
      open.sentUntil = now;
    }
  }

  private events(id: string, mission: string | null, after: number): void {
    const events = this.world.events
      .filter((event) => event.mission === mission && event.at > after)
      .map((event) => event.entry);
    if (events.length > 0 || after === 0) this.say({ kind: "events", id, events, dropped: 0 });
  }

  private parametersOf(of: Extract<LiveSubject, { kind: "parameters" }>) {
    return of.parameters.flatMap((path) => this.world.find(of.mission, path) ?? []);
  }
}
