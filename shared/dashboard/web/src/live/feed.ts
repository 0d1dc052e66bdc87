// What the live connection has brought: nodes, latest values, recent samples of plotted parameters, alarms and events.
// It lives outside React; screens look at it at most four times a second.
import { placeOf } from "../telemetry/freshness";
import type { Alarm, EventEntry, LiveEvent, Node, Sample } from "../types";
import { Ring } from "./ring";
import { type Shared, sharedKey, Wishes } from "./wishes";

/** Ten samples a second for a quarter of an hour; a faster parameter only fetches its history more often. */
export const TRACE_SAMPLES_MAX = 8_192;
/** After so long history is asked for again, and what the one before it holds is forgotten here. */
export const GENERATION_MS_MAX = 120_000;
const EVENTS_MAX = 2_000;

/** Recent samples of one parameter, in the order they came. */
export interface Trace {
  /** Grows when samples may be missing from `recent`, so that history must be fetched again. 0: no snapshot yet. */
  generation: number;
  startedAt: number;
  recent: Ring<Sample>;
  sinceGeneration: number;
  /** When the present generation was first looked at. */
  aged: { generation: number; since: number };
  /** Grows with each sample. */
  version: number;
}

/** The open alarms of a mission. What is closed leaves: a page that stays open for weeks must not grow. */
export interface LiveAlarms {
  alarms: ReadonlyMap<string, Alarm>;
  /** Whether all open ones are among them. */
  complete: boolean;
  /** Grows with each change. */
  version: number;
}

/** The newest events of a stream, oldest first. */
export interface LiveLog {
  entries: Ring<EventEntry>;
  /** Entries left out because this browser was too slow. */
  dropped: number;
  /** Grows with each entry. */
  version: number;
}

export class LiveFeed {
  readonly wishes = new Wishes();
  nodes: Node[] | null = null;
  /** Samples the server left out because this browser was too slow, since the page was opened. */
  dropped = 0;
  private readonly latest = new Map<string, Map<string, Sample>>();
  private readonly traces = new Map<string, Map<string, Trace>>();
  private readonly alarms = new Map<
    string,
    { alarms: Map<string, Alarm>; complete: boolean; version: number }
  >();
  private readonly events = new Map<string, LiveLog>();

  onEvent(event: LiveEvent): void {
    switch (event.kind) {
      case "heartbeat":
      case "nodes":
        this.nodes = event.nodes;
        return;
      case "refused":
        this.wishes.onRefused(event.id, { code: event.code, detail: event.detail });
        return;
      case "opened":
        this.wishes.onOpened(event.id);
        if (event.resumed) this.onResumed(event.id);
        return;
      case "snapshot":
        this.dropped += event.dropped;
        this.wishes.onSnapshot(event.id);
        this.onSamples(event.id, event.mission, event.samples);
        if (this.wishes.of(event.id)?.purpose === "traces")
          for (const trace of this.traces.get(event.mission)?.values() ?? []) renew(trace);
        return;
      case "values":
        this.onSamples(event.id, event.mission, event.samples);
        return;
      case "alarms-snapshot":
        this.onAlarms(event.mission, event.alarms, event.is_first);
        if (!event.more) this.alarmsIn(event.mission).complete = true;
        return;
      case "alarms":
        this.onAlarms(event.mission, event.alarms, false);
        return;
      case "events":
        this.onEvents(event.id, event.events, event.dropped);
        return;
      case "dictionary":
        // The client tells who fetches descriptions; values stand as they were read. A parameter may be known now.
        this.wishes.askAgain();
        return;
      case "packets":
        // Nobody wants them live: the page of packets reads the archive.
        return;
    }
  }

  /** Takes in an answer over HTTP; what the live connection brought since is newer and stays. */
  onLatest(mission: string, samples: readonly Sample[]): void {
    for (const sample of samples) this.keepLatest(mission, sample);
  }

  /** Parameters are drawn from now on, as long as somebody wants their traces. */
  onTraced(mission: string, parameters: readonly string[], now: number): void {
    const known = valueOr(this.traces, mission, () => new Map<string, Trace>());
    for (const parameter of known.keys())
      if (!this.wishes.isTraced(mission, parameter)) known.delete(parameter);
    for (const parameter of parameters)
      valueOr(known, parameter, () => ({
        generation: 0,
        startedAt: now,
        recent: new Ring<Sample>(TRACE_SAMPLES_MAX),
        sinceGeneration: 0,
        aged: { generation: 0, since: now },
        version: 0,
      }));
  }

  /**
   * While the connection stands: history in force holds all that came before it was asked for, so that much need not
   * be kept twice, nor joined at each repaint. Without this a page that is open for hours would only grow.
   */
  onTime(now: number): void {
    for (const traces of this.traces.values())
      for (const trace of traces.values())
        if (trace.aged.generation !== trace.generation)
          trace.aged = { generation: trace.generation, since: now };
        else if (trace.sinceGeneration > 0 && now - trace.aged.since >= GENERATION_MS_MAX) {
          trace.recent.keepNewest(trace.sinceGeneration);
          renew(trace);
        }
  }

  latestOf(mission: string, parameter: string): Sample | null {
    return this.latest.get(mission)?.get(parameter) ?? null;
  }

  traceOf(mission: string, parameter: string): Trace | null {
    return this.traces.get(mission)?.get(parameter) ?? null;
  }

  alarmsOf(mission: string): LiveAlarms | null {
    return this.alarms.get(mission) ?? null;
  }

  eventsOf(subject: Shared): LiveLog | null {
    return this.events.get(sharedKey(subject)) ?? null;
  }

  clear(): void {
    this.nodes = null;
    this.wishes.forget();
    for (const kept of [this.latest, this.traces, this.alarms, this.events]) kept.clear();
  }

  private onSamples(id: string | null | undefined, mission: string, samples: readonly Sample[]): void {
    const isTraced = this.wishes.of(id)?.purpose === "traces";
    for (const sample of samples) {
      this.keepLatest(mission, sample);
      const trace = isTraced ? this.traceOf(mission, sample.parameter) : null;
      if (trace === null) continue;
      trace.recent.push(sample);
      trace.version += 1;
      trace.sinceGeneration += 1;
      // Renewed at half, so that nothing is pushed out before the history that holds it has arrived.
      if (trace.sinceGeneration >= TRACE_SAMPLES_MAX / 2) renew(trace);
    }
  }

  /** Nothing is missing from the traces that were there before; the new ones need their history. */
  private onResumed(id: string): void {
    const subscription = this.wishes.of(id);
    if (subscription?.purpose !== "traces") return;
    for (const trace of this.traces.get(subscription.mission ?? "")?.values() ?? [])
      if (trace.generation === 0) renew(trace);
  }

  private alarmsIn(mission: string) {
    return valueOr(this.alarms, mission, () => ({
      alarms: new Map<string, Alarm>(),
      complete: false,
      version: 0,
    }));
  }

  private onAlarms(mission: string, alarms: readonly Alarm[], isFirst: boolean): void {
    const known = this.alarmsIn(mission);
    if (isFirst) {
      known.alarms.clear();
      known.complete = false;
    }
    for (const alarm of alarms) {
      if (alarm.state === "normal") known.alarms.delete(alarm.id);
      else known.alarms.set(alarm.id, alarm);
    }
    known.version += 1;
  }

  private onEvents(id: string, entries: readonly EventEntry[], dropped: number): void {
    const key = this.wishes.of(id)?.key;
    if (key === undefined) return;
    const log = valueOr(this.events, key, () => ({ entries: new Ring(EVENTS_MAX), dropped: 0, version: 0 }));
    for (const entry of entries) log.entries.push(entry);
    log.dropped += dropped;
    log.version += 1;
  }

  private keepLatest(mission: string, sample: Sample): void {
    const values = valueOr(this.latest, mission, () => new Map<string, Sample>());
    const known = values.get(sample.parameter);
    // A late sample is in its place in history, but the newest one is what stands.
    if (known === undefined || stands(sample, known)) values.set(sample.parameter, sample);
  }
}

function renew(trace: Trace): void {
  trace.generation += 1;
  trace.sinceGeneration = 0;
}

function valueOr<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** Of one sample heard at two stations always the same copy stands, so that the station does not flicker. */
function stands(sample: Sample, known: Sample): boolean {
  const later = placeOf(sample) - placeOf(known);
  return later > 0 || (later === 0 && sample.node <= known.node);
}
