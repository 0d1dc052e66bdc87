// Carries out what `Connection` decides: owns the socket, the one timer, and the beat at which screens repaint.
import { parseTime } from "../format/time";
import type { LiveEvent } from "../types";
import { Connection, type Health } from "./connection";
import { LiveFeed } from "./feed";
import type { Shared } from "./wishes";

/** Screens repaint at most this often, whatever arrives. */
export const FRAME_MS = 250;

/** One repaint: everything that shows a value or an age takes its time from here. */
export interface Frame {
  number: number;
  now: number;
  /** The server's time; this machine's own before the first heartbeat. */
  serverNow: number;
  health: Health;
  established: number;
}

/** The part of a browser's WebSocket that is used, so that the mock can stand in. */
export interface Socket {
  onopen: ((event: Event) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface LiveClientOptions {
  openSocket: () => Socket;
  /** Steady milliseconds close to Unix time: a corrected wall clock must not make values look fresh. */
  clock: () => number;
  random: () => number;
  /** A connection could not be opened: perhaps the session has ended. */
  onRefusedConnection?: () => void;
  /** What is known of a mission's parameters is old; of all missions after a time without a connection. */
  onDescriptions?: (mission: string | null) => void;
}

export class LiveClient {
  readonly feed = new LiveFeed();
  private readonly connection: Connection;
  private socket: Socket | null = null;
  private wakeup: ReturnType<typeof setTimeout> | undefined;
  private beat: ReturnType<typeof setInterval> | undefined;
  private readonly listeners = new Set<() => void>();
  private current: Frame;
  private isTelling = false;

  constructor(private readonly options: LiveClientOptions) {
    this.connection = new Connection(options.random);
    this.current = this.draw(0);
  }

  start(): void {
    this.connection.onStart(this.options.clock());
    this.beat ??= setInterval(() => this.nextFrame(), FRAME_MS);
    this.act();
    this.nextFrame();
  }

  stop(): void {
    this.connection.onStop();
    this.act();
    clearInterval(this.beat);
    this.beat = undefined;
    this.feed.clear();
    this.nextFrame();
  }

  /** Keeps values current until the function that comes back is called. */
  wantValues(mission: string, parameters: readonly string[]): () => void {
    return this.until(this.feed.wishes.parameters("values", mission, parameters));
  }

  /** Also keeps every sample for a while, for curves. */
  wantTraces(mission: string, parameters: readonly string[]): () => void {
    const leave = this.feed.wishes.parameters("traces", mission, parameters);
    this.feed.onTraced(mission, parameters, this.options.clock());
    return this.until(leave);
  }

  want(subject: Shared): () => void {
    return this.until(this.feed.wishes.shared(subject));
  }

  retryNow(): void {
    this.connection.onHint(this.options.clock());
    this.act();
  }

  readonly frame = (): Frame => this.current;

  readonly onFrame = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  // Sent once for all that components of one page want or leave in the same moment.
  private until(leave: () => void): () => void {
    this.tellSoon();
    return () => {
      leave();
      this.tellSoon();
    };
  }

  private tellSoon(): void {
    if (this.isTelling) return;
    this.isTelling = true;
    queueMicrotask(() => {
      this.isTelling = false;
      for (const { id, of } of this.feed.wishes.changes()) {
        if (of === null) this.connection.onUnwanted(id);
        else this.connection.onWanted(id, of);
      }
      this.act();
    });
  }

  private act(): void {
    for (;;) {
      const action = this.connection.nextAction(this.options.clock());
      if (action === null) break;
      if (action.kind === "open") this.open();
      else if (action.kind === "close") this.close();
      else {
        if (action.request.kind === "open") this.feed.wishes.onSent(action.request.id);
        this.socket?.send(JSON.stringify(action.request));
      }
    }
    clearTimeout(this.wakeup);
    const due = this.connection.nextWakeup();
    if (due !== null) this.wakeup = setTimeout(() => this.act(), Math.max(0, due - this.options.clock()));
  }

  private open(): void {
    const socket = this.options.openSocket();
    this.socket = socket;
    let opened = false;
    // A socket that was given up may still report; only the present one counts.
    socket.onopen = () => {
      if (this.socket !== socket) return;
      opened = true;
      this.connection.onOpened(this.options.clock());
      this.feed.wishes.onConnected();
      this.act();
      if (this.connection.established > 0) this.options.onDescriptions?.(null);
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.connection.onClosed(this.options.clock());
      this.act();
      if (!opened) this.options.onRefusedConnection?.();
    };
    socket.onmessage = (message) => {
      if (this.socket === socket) this.onMessage(message.data);
    };
  }

  private close(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private onMessage(data: unknown): void {
    const event = readEvent(data);
    if (event === null) return;
    if (event.kind === "heartbeat") {
      this.connection.onHeartbeat(this.options.clock(), parseTime(event.at));
      this.act();
    }
    if (event.kind === "dictionary") {
      this.tellSoon();
      this.options.onDescriptions?.(event.mission);
    }
    if ("cursor" in event && event.cursor && event.id && this.feed.wishes.of(event.id)?.purpose !== "values")
      this.connection.onCursor(event.id, event.cursor);
    this.feed.onEvent(event);
  }

  private nextFrame(): void {
    this.current = this.draw(this.current.number + 1);
    if (this.current.health.state === "live") this.feed.onTime(this.current.now);
    for (const listener of this.listeners) listener();
  }

  private draw(number: number): Frame {
    const now = this.options.clock();
    return {
      number,
      now,
      serverNow: this.connection.serverNow(now) ?? now,
      health: this.connection.health(now),
      established: this.connection.established,
    };
  }
}

/** `null` for anything that is not an event: a newer server may send kinds this page does not know. */
function readEvent(data: unknown): LiveEvent | null {
  if (typeof data !== "string") return null;
  try {
    const event: LiveEvent = JSON.parse(data);
    return typeof event?.kind === "string" ? event : null;
  } catch {
    return null;
  }
}
