// What the live connection has brought: nodes, latest values, and the recent samples of the plotted parameter.
// It lives outside React; screens look at it at most four times a second.
import { parseTime } from "../format/time";
import type { LiveEvent, Node, Sample } from "../types";
import { Ring } from "./ring";

/** Ten samples a second for a quarter of an hour; a faster parameter only fetches its history more often. */
export const TRACE_SAMPLES_MAX = 8_192;

/** Recent samples of one parameter, in the order they came. */
export interface Trace {
  mission: string;
  parameter: string;
  /** Grows when samples may be missing from `recent`, so that history must be fetched again. 0: no snapshot yet. */
  generation: number;
  startedAt: number;
  recent: Ring<Sample>;
  sinceGeneration: number;
}

export interface Refusal {
  code: string;
  detail: string;
}

export class LiveFeed {
  nodes: Node[] | null = null;
  refusal: Refusal | null = null;
  /** Changes the server left out because this browser was too slow, since the page was opened. */
  dropped = 0;
  trace: Trace | null = null;
  private readonly latest = new Map<string, Map<string, Sample>>();

  onEvent(event: LiveEvent): void {
    switch (event.kind) {
      case "heartbeat":
        this.nodes = event.nodes;
        return;
      case "refused":
        this.refusal = { code: event.code, detail: event.detail };
        return;
      case "snapshot":
        this.refusal = null;
        this.dropped += event.dropped;
        for (const sample of event.samples) this.keep(event.mission, sample);
        if (this.trace?.mission === event.mission) this.renew(this.trace);
        return;
      case "values":
        for (const sample of event.samples) this.keep(event.mission, sample);
        return;
      case "dictionary":
        // The client tells who fetches descriptions; values stand as they were read.
        return;
    }
  }

  /** Takes in an answer over HTTP; what the live connection brought since is newer and stays. */
  onLatest(mission: string, samples: readonly Sample[]): void {
    for (const sample of samples) this.keepLatest(mission, sample);
  }

  follow(mission: string, parameter: string, now: number): void {
    if (this.trace?.mission === mission && this.trace.parameter === parameter) return;
    const recent = new Ring<Sample>(TRACE_SAMPLES_MAX);
    this.trace = { mission, parameter, generation: 0, startedAt: now, recent, sinceGeneration: 0 };
  }

  latestOf(mission: string, parameter: string): Sample | null {
    return this.latest.get(mission)?.get(parameter) ?? null;
  }

  clear(): void {
    this.nodes = null;
    this.refusal = null;
    this.trace = null;
    this.latest.clear();
  }

  private keep(mission: string, sample: Sample): void {
    this.keepLatest(mission, sample);
    const trace = this.trace;
    if (trace === null || trace.mission !== mission || trace.parameter !== sample.parameter) return;
    trace.recent.push(sample);
    trace.sinceGeneration += 1;
    // Renewed at half, so that nothing is pushed out before the history that holds it has arrived.
    if (trace.sinceGeneration >= TRACE_SAMPLES_MAX / 2) this.renew(trace);
  }

  private keepLatest(mission: string, sample: Sample): void {
    let values = this.latest.get(mission);
    if (values === undefined) {
      values = new Map();
      this.latest.set(mission, values);
    }
    const known = values.get(sample.parameter);
    // A late sample is in its place in history, but the newest one is what stands.
    if (known === undefined || stands(sample, known)) values.set(sample.parameter, sample);
  }

  private renew(trace: Trace): void {
    trace.generation += 1;
    trace.sinceGeneration = 0;
  }
}

/** Of one sample heard at two stations always the same copy stands, so that the station does not flicker. */
function stands(sample: Sample, known: Sample): boolean {
  const later = parseTime(sample.generation_time) - parseTime(known.generation_time);
  return later > 0 || (later === 0 && sample.node <= known.node);
}
